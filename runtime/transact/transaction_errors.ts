/**
 * Why transactions fail.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";
import { decodeKey, showKey } from "../storage/key.ts";
import { mayHaveCommitted } from "../storage/storage_fault.ts";
import type { Transaction } from "./transaction.ts";

/** What is known of the storage. */
export interface StorageState {
  /** The fault because of which it cannot be used now. */
  readonly fault: MpError | undefined;
  /** For how long a request has had no answer, in milliseconds. */
  readonly silence: number;
}

/** From how much silence on the storage, not the transaction, is what took too long, in milliseconds. */
export const LONG_SILENCE = 1_000;

/** The error of a transaction whose deadline has passed. */
export function late(transaction: Transaction, { fault, silence }: StorageState): MpError {
  const { stage, writes, refusals, overtaken } = transaction;
  const scopes = shown(transaction);
  if (stage === "flying" && writes) return unknown(transaction, fault);
  // the reply that was lost was that of others, or of a look: it says only that the storage does not answer
  if (mayHaveCommitted(fault)) {
    return new MpError(
      "storage_unavailable",
      `Cannot use ${scopes}: the storage did not answer in time`,
      { cause: fault, reason: "unreachable" },
    );
  }
  if (fault !== undefined) return unavailable(transaction, fault);
  if (stage !== "running" && silence >= LONG_SILENCE) {
    return new MpError(
      "storage_unavailable",
      `Cannot use ${scopes}: the storage has not answered for ${Math.round(silence)} ms`,
      { reason: "unreachable" },
    );
  }
  if (refusals + overtaken > 0 || stage === "waiting") return conflict(transaction);
  const what = stage === "running" ? "the body did not end" : "there was no outcome";
  return new MpError("deadline_exceeded", `Cannot use ${scopes}: ${what} before the deadline`, {
    reason: "timed out",
  });
}

/** The error of a transaction that others left no time for. */
export function conflict(transaction: Transaction): MpError {
  const times = transaction.refusals + transaction.overtaken;
  return new MpError(
    "scope_conflict",
    `Cannot use ${shown(transaction)}: others changed it first, ${
      times === 0 ? "" : times === 1 ? "once, " : `${times} times, `
    }until the deadline`,
    { next: "Do less in one transaction, or spread the data over more scopes" },
  );
}

/** The error of a transaction of which nothing was carried out. */
export function unavailable(transaction: Transaction, fault: unknown): MpError {
  const { code = "storage_unavailable", reason, next }: Partial<MpError> = fault instanceof MpError
    ? fault
    : {};
  return new MpError(code, `Cannot use ${shown(transaction)}: ${messageOf(fault)}`, {
    cause: fault,
    reason,
    next,
  });
}

/** The error of a transaction that may have been carried out. */
export function unknown(transaction: Transaction, fault: unknown): MpError {
  return new MpError(
    "commit_unknown",
    `Cannot tell whether ${shown(transaction)} was changed: the storage did not answer in time`,
    {
      cause: fault,
      next: "Read the scope before you try again, or call with an idempotency key",
    },
  );
}

/** The error of a transaction whose caller has gone away. */
export function givenUp(transaction: Transaction, reason: MpError): MpError {
  return transaction.stage === "flying" && transaction.writes
    ? unknown(transaction, reason)
    : reason;
}

/** The error of a transaction that ends with its replica. */
export function closed(): MpError {
  return new MpError("cancelled", "Cannot run the transaction: the replica ends");
}

function shown(transaction: Transaction): string {
  const scopes = Array.from(transaction.scopes, (scope) => showKey(decodeKey(scope)));
  const few = scopes.slice(0, 5).join(", ");
  if (scopes.length > 5) return `${few} and ${scopes.length - 5} more`;
  return few || "a scope";
}
