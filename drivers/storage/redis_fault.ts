/**
 * What goes wrong with Redis, as faults of a storage.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { FaultReason } from "../../runtime/storage/storage.ts";
import { storageFault } from "../../runtime/storage/storage_fault.ts";

interface Cause {
  /** How the server's error begins. */
  readonly says: RegExp;
  readonly reason: FaultReason;
  readonly next?: string;
}

/** Errors with which Redis answers a script before it has done anything. */
const CAUSES: readonly Cause[] = [
  {
    says: /^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|READONLY)\b/,
    reason: "unreachable",
  },
  {
    says: /^BUSY\b/,
    reason: "busy",
    next: "Look for a script that runs for long, and end it with SCRIPT KILL",
  },
  {
    says: /^OOM\b/,
    reason: "full",
    next: "Raise maxmemory, or remove keys; what was committed is safe",
  },
  {
    says: /^MISCONF\b/,
    reason: "full",
    next: "Look into the server's log why it cannot write to its disk",
  },
  {
    says: /^(NOAUTH|WRONGPASS)\b|invalid password|without any password|Client sent AUTH/,
    reason: "refused",
    next: "Write the user and password into the URL: redis://user:password@host:port",
  },
  {
    says: /^NOPERM\b/,
    reason: "refused",
    next: "Let the user run EVAL and EVALSHA, and all hash, sorted set and key commands in them",
  },
  { says: /^(ERR DB index|ERR unknown command|ERR SELECT)/, reason: "refused" },
];

/** The fault of an error with which Redis answered. */
export function redisReplyFault(error: unknown, where: string, writes: boolean): MpError {
  const message = messageOf(error);
  const cause = CAUSES.find(({ says }) => says.test(message));
  // a script that fails half-way is not undone; a commit that is sent again then tells
  const reason = cause?.reason ?? (writes ? "reply_lost" : "damaged");
  return storageFault(reason, `Cannot use redis at ${where}: ${message.split("\n")[0]}`, {
    cause: error,
    next: cause?.next,
  });
}

/** The fault of a connection that cannot be made. */
export function redisUnreachable(cause: unknown, where: string): MpError {
  if (cause instanceof MpError) return cause;
  const message = messageOf(cause) || "no connection";
  const known = CAUSES.find(({ says }) => says.test(message));
  return storageFault(
    known?.reason ?? "unreachable",
    `Cannot reach redis at ${where}: ${message.split("\n")[0]}`,
    {
      cause,
      next: known?.next ?? "Start it, or choose another storage with --storage",
    },
  );
}

/** The fault of a request that was sent and not answered. */
export function redisReplyLost(cause: unknown, where: string): MpError {
  const why = cause === undefined ? "no answer in time" : messageOf(cause);
  return storageFault("reply_lost", `Cannot tell what redis at ${where} did: ${why}`, { cause });
}
