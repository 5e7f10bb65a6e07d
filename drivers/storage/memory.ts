/**
 * The storage `memory`: a Map in one process, for tests.
 *
 * @module
 */

import type {
  Backend,
  BackendOptions,
  EncodedEntry,
  KeyRange,
} from "../../runtime/storage/backend.ts";
import { createStorage } from "../../runtime/storage/create_storage.ts";
import { encodeNamespace } from "../../runtime/storage/key.ts";
import {
  applyCommit,
  DEFAULT_RETENTION,
  isThere,
  type RecordHead,
  type Records,
} from "../../runtime/storage/record.ts";
import type { Storage } from "../../runtime/storage/storage.ts";

/** What a memory storage holds. Storages that are given the same one share it, as connections to a server would. */
export interface MemoryData {
  readonly records: Map<string, { readonly head: RecordHead; readonly value: string | null }>;
  readonly listeners: Set<() => void>;
  /** When records that are over were removed last. */
  swept: number;
}

/** How a memory storage is opened. */
export interface MemoryStorageOptions extends BackendOptions {
  /** Default: data of its own, empty. */
  readonly data?: MemoryData;
  /** The clock, in milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
}

/** Data for memory storages, empty. */
export function memoryData(): MemoryData {
  return { records: new Map(), listeners: new Set(), swept: 0 };
}

/** Opens a storage that is gone with the process. */
export function memoryStorage(options: MemoryStorageOptions): Storage {
  return createStorage(memoryBackend(options));
}

function memoryBackend(
  { namespace, data = memoryData(), now = Date.now, retention = DEFAULT_RETENTION }:
    MemoryStorageOptions,
): Backend {
  const { records, listeners } = data;
  const prefix = `${encodeNamespace(namespace)}:`;
  const view: Records = {
    head: (key) => records.get(prefix + key)?.head,
    value: (key) => records.get(prefix + key)?.value ?? null,
    put: (key, head, value) => records.set(prefix + key, { head, value }),
  };

  function sweep(time: number): void {
    if (time < data.swept + retention) return;
    data.swept = time;
    for (const [key, { head }] of records) {
      if (head.keepUntil !== 0 && head.keepUntil <= time) records.delete(key);
    }
  }

  // deno-lint-ignore require-await -- what goes wrong must reject
  async function commit(batch: Parameters<Backend["commit"]>[0]) {
    const time = now();
    sweep(time);
    const verdicts = batch.map((commit) => applyCommit(commit, view, { now: time, retention }));
    if (batch.some(({ writes }) => writes.length > 0)) {
      for (const listener of [...listeners]) listener();
    }
    return verdicts;
  }

  async function* scan({ from, before }: KeyRange) {
    const time = now();
    const found: EncodedEntry[] = [];
    for (const [full, { head, value }] of records) {
      const key = full.slice(prefix.length);
      if (!full.startsWith(prefix) || key < from || key >= before) continue;
      if (isThere(head, time)) found.push({ key, version: head.version, value: value! });
    }
    yield found.sort((a, b) => a.key < b.key ? -1 : 1);
  }

  return {
    name: "memory",
    commit,
    scan,
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    close: () => Promise.resolve(),
  };
}
