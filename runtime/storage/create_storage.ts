/**
 * Makes a storage of a backend: checked arguments, encoded keys, and one life cycle for all.
 *
 * @module
 */

import type { Backend, EncodedCommit, Verdict } from "./backend.ts";
import { encodeCommit } from "./encode_commit.ts";
import { decodeKey, encodeKey, encodePrefix, keyAfter } from "./key.ts";
import { pollChanges } from "./poll_changes.ts";
import type {
  CallOptions,
  Check,
  Commit,
  CommitResult,
  Entry,
  Key,
  Range,
  ScanOptions,
  Storage,
  Versioned,
  WatchOptions,
} from "./storage.ts";
import { storageFault } from "./storage_fault.ts";
import { versioned } from "./versioned.ts";

/** No key has this version, so checking it brings the current value. */
const NEVER = "?";

/** Makes a storage of a backend. */
export function createStorage(backend: Backend): Storage {
  const { name } = backend;
  const closing = new AbortController();
  let closed: Promise<void> | undefined;

  function enter(signal: AbortSignal | undefined, action: string): void {
    if (closed !== undefined) {
      throw storageFault("closed", `Cannot ${action}: the ${name} storage is closed`);
    }
    signal?.throwIfAborted();
  }

  async function commit(
    batch: readonly Commit[],
    { signal }: CallOptions = {},
  ): Promise<CommitResult[]> {
    enter(signal, "commit");
    if (batch.length === 0) return [];
    const verdicts = await backend.commit(batch.map(encodeCommit), signal);
    return verdicts.map((verdict, i) => resultOf(verdict, batch[i]!.checks));
  }

  async function read(keys: readonly Key[], { signal }: CallOptions = {}): Promise<Versioned[]> {
    enter(signal, "read");
    const checks = keys.map((key) => ({ key: encodeKey(key), version: NEVER }));
    const [verdict] = await backend.commit([readOnly(checks)], signal);
    return (verdict ?? []).map((stale) => versioned(keys[stale.index]!, stale));
  }

  async function* scan(
    { prefix, after }: Range,
    { signal, limit = Infinity }: ScanOptions = {},
  ): AsyncGenerator<Entry> {
    const prefixed = encodePrefix(prefix);
    let from = `${prefixed}:`;
    // ";" comes right after ":", so this is before everything that is not under the prefix
    const before = `${prefixed};`;
    const next = after === undefined ? from : keyAfter(encodeKey(after));
    if (next > from) from = next;
    let left = limit;
    if (left <= 0) return;
    enter(signal, "scan");
    for await (const page of backend.scan({ from, before, limit }, signal)) {
      enter(signal, "scan");
      for (const { key, version, value } of page) {
        yield { key: decodeKey(key), version, value };
        if (--left <= 0) return;
      }
    }
  }

  function watch(
    keys: readonly Key[],
    { signal, interval = 200 }: WatchOptions = {},
  ): AsyncIterable<Versioned> {
    enter(undefined, "watch");
    const encoded = keys.map(encodeKey);
    return pollChanges({
      keys,
      interval,
      signal: signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]),
      onChange: backend.onChange?.bind(backend),
      look: (versions, signal) =>
        backend.commit(
          encoded.map((key, i) => readOnly([{ key, version: versions[i] ?? NEVER }])),
          signal,
        ),
    });
  }

  function close(): Promise<void> {
    closing.abort();
    return closed ??= backend.close();
  }

  return { name, read, commit, scan, watch, close, [Symbol.asyncDispose]: close };
}

/** A commit that writes nothing; nobody asks for its session, as there is nothing to recognise. */
function readOnly(checks: EncodedCommit["checks"]): EncodedCommit {
  return { session: "", seq: 0, version: "", checks, writes: [] };
}

function resultOf(verdict: Verdict, checks: readonly Check[]): CommitResult {
  if (verdict === null) return { done: true };
  return {
    done: false,
    current: verdict.map((stale) => versioned(checks[stale.index]!.key, stale)),
  };
}
