/**
 * Checks a commit, and encodes it for a backend.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { EncodedCheck, EncodedCommit, EncodedWrite } from "./backend.ts";
import { encodeKey, showKey } from "./key.ts";
import type { Commit, Key, Mutation } from "./storage.ts";
import { isSession, versionOf } from "./version.ts";

/** The largest value, in bytes of UTF-8. */
export const MAX_VALUE_BYTES = 16 * 1024 * 1024;

/**
 * Checks and encodes a commit. Nothing that it refuses would be taken by any storage, so a commit can be checked before it
 * joins others in a batch.
 *
 * @throws {TypeError | RangeError} When an argument is wrong.
 * @throws {MpError} `request_too_large` for a value over 16 MiB; `unsupported` for what is not built yet.
 */
export function encodeCommit(commit: Commit): EncodedCommit {
  const { session, seq } = commit;
  if (typeof session !== "string" || !isSession(session)) {
    throw new TypeError(
      `Cannot commit for the session ${JSON.stringify(session)}: ` +
        "it is not 8 to 64 letters, digits, hyphens and underscores",
    );
  }
  if (!Number.isSafeInteger(seq) || seq < 1) {
    throw new RangeError(`Cannot commit with the number ${seq}: it is not an integer from 1`);
  }
  const writes = commit.mutations.map(encodeMutation);
  if (writes.length > 1) refuseTwice(writes, commit.mutations);
  return {
    session,
    seq,
    version: versionOf(commit),
    checks: commit.checks.map(encodeCheck),
    writes,
  };
}

function encodeCheck({ key, version }: { key: Key; version: string | null }): EncodedCheck {
  if (version !== null && (typeof version !== "string" || version === "")) {
    throw new TypeError(`Cannot check ${showKey(key)}: ${JSON.stringify(version)} is no version`);
  }
  return { key: encodeKey(key), version: version ?? "" };
}

function encodeMutation(mutation: Mutation): EncodedWrite {
  const key = encodeKey(mutation.key);
  const { op }: { readonly op: string } = mutation;
  const where = showKey(mutation.key);
  if (mutation.op === "append" || mutation.key[0] === "log") {
    throw new MpError("unsupported", `Cannot ${op} ${where}: storages do not keep logs yet`);
  }
  if (mutation.op === "delete") return { key, value: null, expiresAt: 0 };
  if (op !== "put") throw new TypeError(`Cannot change ${where}: there is no operation "${op}"`);
  return { key, value: checkValue(mutation.key, mutation.value), expiresAt: expiryOf(mutation) };
}

function expiryOf({ key, expiresAt }: { key: Key; expiresAt?: number }): number {
  if (expiresAt === undefined) return 0;
  if (Number.isSafeInteger(expiresAt) && expiresAt > 0) return expiresAt;
  throw new RangeError(
    `Cannot let ${showKey(key)} expire at ${expiresAt}: it is not in milliseconds since the epoch`,
  );
}

/**
 * Checks that a value can be stored.
 *
 * @throws {MpError} `request_too_large` when it is over {@linkcode MAX_VALUE_BYTES}.
 */
export function checkValue(key: Key, value: string): string {
  if (typeof value !== "string" || value === "") {
    throw new TypeError(`Cannot store ${showKey(key)}: its value is not JSON text`);
  }
  // no character takes more than three bytes, so most need no counting
  if (value.length * 3 <= MAX_VALUE_BYTES) return value;
  const bytes = new TextEncoder().encode(value).length;
  if (bytes <= MAX_VALUE_BYTES) return value;
  throw new MpError(
    "request_too_large",
    `Cannot store ${showKey(key)}: its JSON has ${bytes} bytes, more than ${MAX_VALUE_BYTES}`,
    { next: "Split it into several scopes, or keep large data elsewhere and its address here" },
  );
}

function refuseTwice(writes: readonly EncodedWrite[], mutations: readonly Mutation[]): void {
  const seen = new Set<string>();
  for (const [i, { key }] of writes.entries()) {
    if (seen.has(key)) {
      throw new TypeError(
        `Cannot commit: ${showKey(mutations[i]!.key)} is changed twice by the same commit`,
      );
    }
    seen.add(key);
  }
}
