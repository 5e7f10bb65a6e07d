/**
 * Makes one commit of transactions that share scopes.
 *
 * @module
 */

import { decodeKey, showKey } from "../storage/key.ts";
import type { Check, Commit, Key, Mutation } from "../storage/storage.ts";
import type { Document, State } from "./overlay.ts";
import type { Attempt } from "./transaction.ts";
import type { Written } from "./view.ts";

/** A commit, and what it leaves behind. */
export interface MadeCommit {
  readonly commit: Commit;
  /** The states that it checks, by scope. */
  readonly reads: ReadonlyMap<string, State>;
  /** The states that it stores, by scope. */
  readonly writes: ReadonlyMap<string, Written>;
}

/**
 * Makes a commit: it checks what the first of the transactions that touch a scope has read, and stores what the last
 * one leaves behind. Each of those between must rest on the one before it.
 *
 * @throws {Error} When one does not: its commit would lose a write.
 * @throws {TypeError} When a document is too deep, or too large, to be text.
 */
export function makeCommit(
  attempts: readonly Attempt[],
  name: { readonly session: string; readonly seq: number },
): MadeCommit {
  const reads = new Map<string, State>();
  const writes = new Map<string, Written>();
  for (const attempt of attempts) {
    for (const [scope, state] of attempt.reads) {
      const before = writes.get(scope)?.state ?? reads.get(scope);
      if (before === undefined) reads.set(scope, state);
      else if (before !== state) {
        throw new Error("A transaction does not rest on the one before it");
      }
    }
    for (const [scope, written] of attempt.writes) writes.set(scope, written);
  }
  const checks = Array.from(reads, ([scope, { version }]): Check => {
    if (version === undefined) throw new Error("A transaction rests on one that is not stored");
    return { key: decodeKey(scope), version };
  });
  const mutations = Array.from(writes, ([scope, written]) => mutation(scope, written));
  return { commit: { ...name, checks, mutations }, reads, writes };
}

function mutation(scope: string, { state, expiresAt }: Written): Mutation {
  const key = decodeKey(scope);
  if (state.data === undefined) return { op: "delete", key };
  const value = encode(key, state.data);
  state.size = value.length;
  return { op: "put", key, value, ...(expiresAt !== undefined && { expiresAt }) };
}

function encode(key: Key, data: Document): string {
  try {
    return JSON.stringify(data);
  } catch (error) {
    // drafts have seen to it that it is JSON
    throw error instanceof RangeError
      ? new TypeError(`Cannot store ${showKey(key)}: it is too large, or nested too deeply`)
      : error;
  }
}
