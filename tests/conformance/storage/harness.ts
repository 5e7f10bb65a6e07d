/**
 * What the cases of the storage suite are written with.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { scopeKey } from "../../../runtime/storage/key.ts";
import type {
  Check,
  Commit,
  CommitResult,
  Key,
  Mutation,
  Storage,
  Version,
  Versioned,
} from "../../../runtime/storage/storage.ts";
import { newSession } from "../../../runtime/storage/version.ts";

/** How a case opens a storage. */
export interface OpenOptions {
  readonly namespace: string;
  /** In milliseconds. */
  readonly retention?: number;
}

/** A place where data is, and how to open it. */
export interface StorageUnderTest extends AsyncDisposable {
  /** Another connection to the same data, as another process would have. */
  open(options: OpenOptions): Storage;
  /** Where a server keeps the data: one that has written what it answers. */
  readonly server?: {
    /** Kills it with -9. */
    kill(): Promise<void>;
    /** Starts it again; resolves when it answers. */
    start(): Promise<void>;
  };
}

/** One thing that every storage must do. */
export interface Case {
  readonly name: string;
  /** Whether it kills the server. */
  readonly needsServer?: boolean;
  run(connections: Connections): Promise<void>;
}

/** Connections of one case, in a namespace of its own; closed when it ends. */
export class Connections implements AsyncDisposable {
  #opened: Storage[] = [];

  constructor(readonly place: StorageUnderTest, readonly namespace: string) {}

  open(options: Partial<OpenOptions> = {}): Storage {
    const storage = this.place.open({ namespace: this.namespace, ...options });
    this.#opened.push(storage);
    return storage;
  }

  get server(): NonNullable<StorageUnderTest["server"]> {
    assert(this.place.server !== undefined, "this case needs a server");
    return this.place.server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map((storage) => storage.close()));
  }
}

/** Commits of one session, as a replica makes them. */
export class Session {
  readonly id = newSession();
  #seq = 0;

  constructor(readonly storage: Storage) {}

  /** The next commit, not sent. */
  next(checks: readonly Check[], mutations: readonly Mutation[]): Commit {
    return { session: this.id, seq: ++this.#seq, checks, mutations };
  }

  /** Sends one commit. */
  async send(commit: Commit, signal?: AbortSignal): Promise<CommitResult> {
    const [result, ...rest] = await this.storage.commit([commit], { signal });
    assertEquals(rest, []);
    return result!;
  }

  /** Makes the next commit and sends it. */
  commit(checks: readonly Check[], mutations: readonly Mutation[]): Promise<CommitResult> {
    return this.send(this.next(checks, mutations));
  }

  /** Stores a value whatever is there, and returns its version. */
  async put(key: Key, value: unknown): Promise<Version> {
    const commit = this.next([], [put(key, value)]);
    assertEquals(await this.send(commit), DONE);
    return `${commit.session}.${commit.seq}`;
  }

  /** Deletes whatever is there. */
  async delete(key: Key): Promise<void> {
    assertEquals(await this.commit([], [remove(key)]), DONE);
  }

  /** Changes a value until nobody comes between. */
  async change(key: Key, body: (value: unknown) => unknown): Promise<void> {
    let state = await read(this.storage, key);
    for (let refused = 0;; refused++) {
      assert(refused < 10_000, "refused without end");
      const value = state.value === undefined ? undefined : JSON.parse(state.value);
      const result = await this.commit([check(state)], [put(key, body(value))]);
      if (result.done) return;
      state = result.current[0]!;
    }
  }
}

export const DONE: CommitResult = { done: true };

/** The key of a scope. */
export const scope = scopeKey;

/** The keys of scopes. */
export const scopes = <const Names extends readonly string[]>(...names: Names) =>
  names.map(scopeKey) as unknown as { readonly [N in keyof Names]: Key };

/** Stores a value. */
export function put(key: Key, value: unknown, expiresAt?: number): Mutation {
  return {
    op: "put",
    key,
    value: JSON.stringify(value),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

/** Deletes a value. */
export const remove = (key: Key): Mutation => ({ op: "delete", key });

/** Checks that a state is still so. */
export const check = ({ key, version }: Versioned): Check => ({ key, version });

/** Checks that nothing was ever stored. */
export const checkNever = (key: Key): Check => ({ key, version: null });

/** Reads one key. */
export async function read(storage: Storage, key: Key): Promise<Versioned> {
  const [state, ...rest] = await storage.read([key]);
  assertEquals(rest, []);
  assertEquals(state!.key, key);
  return state!;
}

/** Reads the values of keys; `undefined` for none. */
export async function values(storage: Storage, keys: readonly Key[]): Promise<unknown[]> {
  const states = await storage.read(keys);
  return states.map(({ value }) => value === undefined ? undefined : JSON.parse(value));
}

/** Reads a key until its state is as it should be; fails when time is over. */
export async function readUntil(
  storage: Storage,
  key: Key,
  is: (state: Versioned) => boolean,
): Promise<Versioned> {
  const end = performance.now() + 20_000;
  for (;;) {
    const state = await read(storage, key);
    if (is(state)) return state;
    assert(performance.now() < end, `still ${JSON.stringify(state)} after 20 s`);
  }
}

/** Numbers from 0 to `count - 1`. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
