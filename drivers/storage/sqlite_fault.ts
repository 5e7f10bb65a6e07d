/**
 * What goes wrong in SQLite, as faults of a storage.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { FaultReason } from "../../runtime/storage/storage.ts";
import { storageFault } from "../../runtime/storage/storage_fault.ts";

interface Cause {
  /** SQLite's own message; Deno tells no error number. */
  readonly says: RegExp;
  readonly reason: FaultReason;
  readonly why: string;
  readonly next?: string;
}

const CAUSES: readonly Cause[] = [
  {
    says: /database( table)? is locked|locking protocol/,
    reason: "busy",
    why: "another process keeps it locked",
    next: "Look for a program that has the file open, such as an SQLite shell in a transaction",
  },
  {
    says: /database or disk is full|no space left|quota/i,
    reason: "full",
    why: "the disk is full",
    next: "Free some space; what was committed is safe",
  },
  {
    says: /readonly database|read-only|permission|access/i,
    reason: "refused",
    why: "it may not be written",
    next: "Make the file and its folder writable for this user",
  },
  {
    says: /not a database|malformed/,
    reason: "damaged",
    why: "it is not a database, or is damaged",
    next: "Restore it from a backup, or move it away to start empty",
  },
  {
    says: /unable to open/,
    reason: "refused",
    why: "it cannot be opened",
    next: "Make its folder writable for this user",
  },
  { says: /out of memory/, reason: "full", why: "there is no memory left" },
];

/** Whether SQLite was held up by another process, which passes. */
export function isBusy(error: unknown): boolean {
  return CAUSES[0]!.says.test(messageOf(error));
}

/**
 * The fault of an error that SQLite threw.
 *
 * @param committing Whether it came from `COMMIT`, so that nobody knows whether it was carried out.
 */
export function sqliteFault(error: unknown, path: string, committing = false): MpError {
  if (error instanceof MpError) return error;
  const message = messageOf(error);
  const cause = CAUSES.find(({ says }) => says.test(message));
  const reason = cause?.reason ?? (committing ? "reply_lost" : "damaged");
  return storageFault(reason, `Cannot use "${path}": ${cause?.why ?? message}`, {
    cause: error,
    next: cause?.next,
  });
}
