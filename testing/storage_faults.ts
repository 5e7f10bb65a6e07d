/**
 * A storage that fails, and is slow, when a test says so.
 *
 * @module
 */

import type { Storage } from "../runtime/storage/storage.ts";
import { storageFault } from "../runtime/storage/storage_fault.ts";
import type { AppStorage, StorageFailure } from "./app.ts";

interface Failure {
  readonly reason: NonNullable<StorageFailure["reason"]>;
  readonly replica: string | undefined;
  left: number;
}

/** The faults of one storage, which many replicas use. */
export class StorageFaults implements Pick<AppStorage, "fail" | "slow" | "heal"> {
  #failures = new Set<Failure>();
  #delays = new Set<{ readonly milliseconds: number }>();
  /** Requests that wait for their time, and how each is ended. */
  #waiting = new Set<() => void>();

  fail({ reason = "unreachable", times = Infinity, replica }: StorageFailure = {}): Disposable {
    if (!["unreachable", "reply_lost", "busy"].includes(reason)) {
      throw new RangeError(
        `Cannot have the storage fail: ${
          JSON.stringify(reason)
        } is not unreachable, reply_lost or busy`,
      );
    }
    if (!(times >= 1)) {
      throw new RangeError(`Cannot have ${times} requests fail: give a number from 1`);
    }
    return held(this.#failures, { reason, replica, left: times });
  }

  slow(milliseconds: number): Disposable {
    if (!(milliseconds >= 0 && milliseconds < Infinity)) {
      throw new RangeError(`Cannot slow the storage by ${milliseconds} ms: give a number from 0`);
    }
    const delay = held(this.#delays, { milliseconds });
    return {
      [Symbol.dispose]: () => {
        delay[Symbol.dispose]();
        this.close();
      },
    };
  }

  heal(): void {
    this.#failures.clear();
    this.#delays.clear();
    this.close();
  }

  /** Ends all waiting. */
  close(): void {
    for (const end of [...this.#waiting]) end();
  }

  /** A storage as one replica reaches it. */
  wrap(storage: Storage, replica: string): Storage {
    const around = async <T>(request: () => Promise<T>): Promise<T> => {
      await this.#pause();
      const failure = this.#next(replica);
      if (failure === undefined) return await request();
      const { reason } = failure;
      if (reason === "reply_lost") await request();
      throw storageFault(reason, `The storage failed because the test says so: ${reason}`);
    };
    return {
      name: storage.name,
      read: (keys, options) => around(() => storage.read(keys, options)),
      commit: (batch, options) => around(() => storage.commit(batch, options)),
      scan: (range, options) => storage.scan(range, options),
      watch: (keys, options) => storage.watch(keys, options),
      close: () => storage.close(),
      [Symbol.asyncDispose]: () => storage.close(),
    };
  }

  #next(replica: string): Failure | undefined {
    for (const failure of this.#failures) {
      if (!concerns(failure.replica, replica)) continue;
      if (--failure.left <= 0) this.#failures.delete(failure);
      return failure;
    }
    return undefined;
  }

  #pause(): Promise<void> | void {
    let sum = 0;
    for (const { milliseconds } of this.#delays) sum += milliseconds;
    if (sum === 0) return;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, sum);
      this.#waiting.add(end);
    });
  }
}

function concerns(which: string | undefined, replica: string): boolean {
  return which === undefined || which === replica ||
    (replica.startsWith(which) && /^\.\d+$/.test(replica.slice(which.length)));
}

function held<T>(set: Set<T>, entry: T): Disposable {
  set.add(entry);
  return { [Symbol.dispose]: () => void set.delete(entry) };
}
