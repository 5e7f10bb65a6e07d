/**
 * Faults of storages, and what a caller can conclude from them.
 *
 * @module
 */

import { MpError, type MpErrorOptions } from "../errors.ts";
import type { FaultReason } from "./storage.ts";

const PASSING: ReadonlySet<string> = new Set<FaultReason>(["reply_lost", "unreachable", "busy"]);

/** An error `storage_unavailable`. */
export function storageFault(
  reason: FaultReason,
  message: string,
  options: Omit<MpErrorOptions, "reason"> = {},
): MpError {
  return new MpError("storage_unavailable", message, { ...options, reason });
}

/** Whether commits that ended so may have been carried out: send the same again to know. */
export function mayHaveCommitted(error: unknown): boolean {
  return isFault(error) && error.reason === "reply_lost";
}

/** Whether waiting and sending again may help without anybody doing anything. */
export function passesByItself(error: unknown): boolean {
  return isFault(error) && PASSING.has(error.reason ?? "");
}

/** Whether an error says that a storage is not available. */
export function isFault(error: unknown): error is MpError {
  return error instanceof MpError && error.code === "storage_unavailable";
}
