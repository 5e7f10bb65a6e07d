/**
 * A storage in memory behind a network that loses, delays and repeats, as a seed says.
 *
 * @module
 */

import { type MemoryData, memoryStorage } from "../../../drivers/storage/memory.ts";
import type {
  CallOptions,
  Commit,
  CommitResult,
  Key,
  Storage,
  Versioned,
} from "../../../runtime/storage/storage.ts";
import { storageFault } from "../../../runtime/storage/storage_fault.ts";
import type { Seeded } from "../../support/seeded.ts";

const lost = () => storageFault("reply_lost", "Cannot tell what the storage did");
const away = () => storageFault("unreachable", "Cannot reach the storage");

/** See the module. Storages that are given the same data share it. */
export class FlakyStorage implements Storage {
  readonly name = "flaky";
  /** Whether there is no connection. */
  isAway = false;
  /** Whether the process that uses it is dead: nothing is sent any more, and nobody hears an answer. */
  isDead = false;
  #storage: Storage;
  #random: Seeded;

  constructor(data: MemoryData, random: Seeded) {
    this.#storage = memoryStorage({ namespace: "test", data });
    this.#random = random;
  }

  async commit(batch: readonly Commit[], { signal }: CallOptions = {}): Promise<CommitResult[]> {
    const random = this.#random;
    const fate = random.next();
    if (this.isDead) return await untilGone(signal);
    if (this.isAway || fate < 0.02) throw away();
    const answer = (async () => {
      await pause(random.between(0, 8));
      // it may be lost, or arrive when its sender has long sent it again
      if (fate < 0.04) throw lost();
      if (fate < 0.06) await pause(random.between(0, 300));
      const results = await this.#storage.commit(batch);
      await pause(random.between(0, 8));
      if (fate < 0.08) throw lost();
      return results;
    })();
    const cut = fate < 0.06 ? pause(random.between(1, 50)) : never<void>();
    const gone = Promise.withResolvers<void>();
    const leave = () => gone.resolve();
    signal?.addEventListener("abort", leave, { once: true });
    answer.catch(() => {});
    try {
      const results = await Promise.race([answer, cut, gone.promise]);
      if (this.isDead) return await untilGone(signal);
      if (results === undefined) throw lost();
      return results;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  read(keys: readonly Key[]): Promise<Versioned[]> {
    return this.isAway ? Promise.reject(away()) : this.#storage.read(keys);
  }

  scan: Storage["scan"] = (range, options) => this.#storage.scan(range, options);
  watch: Storage["watch"] = (keys, options) => this.#storage.watch(keys, options);

  close(): Promise<void> {
    return this.#storage.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
const never = <T>(): Promise<T> => new Promise(() => {});
/** Nobody hears anything, until it does not want to any more. */
const untilGone = (signal: AbortSignal | undefined) =>
  new Promise<never>((_resolve, reject) => {
    if (signal?.aborted) reject(lost());
    else signal?.addEventListener("abort", () => reject(lost()), { once: true });
  });
