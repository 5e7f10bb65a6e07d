/**
 * A storage in memory that does to requests what a test says.
 *
 * @module
 */

import { type MemoryData, memoryData, memoryStorage } from "../../../drivers/storage/memory.ts";
import { encodeKey, scopeKey } from "../../../runtime/storage/key.ts";
import type {
  CallOptions,
  Commit,
  CommitResult,
  Key,
  Storage,
  Versioned,
} from "../../../runtime/storage/storage.ts";
import { storageFault } from "../../../runtime/storage/storage_fault.ts";
import { newSession } from "../../../runtime/storage/version.ts";

/** What becomes of one request. `run` carries it out. */
export type Fate = (
  run: () => Promise<CommitResult[]>,
  options: CallOptions,
  batch: readonly Commit[],
) => Promise<CommitResult[]>;

/** It is carried out, and its reply is lost. */
export const loseReply: Fate = async (run) => {
  await run();
  throw storageFault("reply_lost", "Cannot commit: the connection was lost");
};

/** It never arrives, which nobody can tell from a lost reply. */
export const loseRequest: Fate = () =>
  Promise.reject(storageFault("reply_lost", "Cannot commit: the connection was lost"));

/** There is no connection. */
export const unreachable: Fate = () =>
  Promise.reject(storageFault("unreachable", "Cannot commit: there is no connection"));

/** It is held up until it is let go. */
export interface Held {
  readonly fate: Fate;
  /** Resolves when the request has come. */
  readonly arrived: Promise<void>;
  /** Carries it out. */
  release(): void;
}

/** Holds a request up. When its caller gives up, it is as if it had been sent, unless `sent` is false. */
export function hold({ sent = true } = {}): Held {
  const arrived = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  return {
    arrived: arrived.promise,
    release: gate.resolve,
    async fate(run, { signal }) {
      arrived.resolve();
      await new Promise<void>((resolve, reject) => {
        gate.promise.then(resolve);
        signal?.addEventListener("abort", () =>
          reject(
            sent
              ? storageFault("reply_lost", "Cannot commit: the caller went away")
              : storageFault("unreachable", "Cannot commit: there is no connection"),
          ));
      });
      return await run();
    },
  };
}

/** See the module's documentation. */
export class ScriptedStorage implements Storage {
  readonly name = "scripted";
  /** What becomes of the next requests; those after them are carried out. */
  readonly fates: Fate[] = [];
  /** What becomes of requests for which nothing was said. */
  otherwise: Fate = (run) => run();
  /** What becomes of reading, such as looking whether the storage is there. */
  reading: () => Promise<void> = () => Promise.resolve();
  /** Every request, also those that never arrived. */
  readonly requests: (readonly Commit[])[] = [];
  reads = 0;
  #storage: Storage;

  constructor(data: MemoryData = memoryData()) {
    this.#storage = memoryStorage({ namespace: "test", data });
  }

  async commit(batch: readonly Commit[], options: CallOptions = {}): Promise<CommitResult[]> {
    this.requests.push(batch);
    const fate = this.fates.shift() ?? this.otherwise;
    return await fate(() => this.#storage.commit(batch), options, batch);
  }

  async read(keys: readonly Key[]): Promise<Versioned[]> {
    this.reads++;
    await this.reading();
    return await this.#storage.read(keys);
  }

  scan: Storage["scan"] = (range, options) => this.#storage.scan(range, options);
  watch: Storage["watch"] = (keys, options) => this.#storage.watch(keys, options);

  close(): Promise<void> {
    return this.#storage.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What a scope holds. */
  async get(name: string): Promise<unknown> {
    const [state] = await this.#storage.read([scopeKey(name)]);
    return state!.value === undefined ? undefined : JSON.parse(state!.value);
  }

  /** Changes a scope, as another replica does. */
  async set(
    name: string,
    value: unknown,
    commit: Pick<Commit, "session" | "seq"> = { session: newSession(), seq: 1 },
  ): Promise<void> {
    const key = scopeKey(name);
    const mutation = value === undefined
      ? { op: "delete", key } as const
      : { op: "put", key, value: JSON.stringify(value) } as const;
    await this.#storage.commit([{ ...commit, checks: [], mutations: [mutation] }]);
  }
}

/** The encoded key of a scope. */
export const scopeId = (name: string): string => encodeKey(scopeKey(name));
