/**
 * What is known of a call that has failed without an answer of its replica: whether it has begun there.
 *
 * It is known here alone. An error that goes on to the caller says nothing of it: whatever it is the end
 * of, something has begun.
 *
 * @module
 */

import { MpError } from "../errors.ts";

/**
 * - `"unstarted"`: the replica never began: nothing was sent, or it said that it will not;
 * - `"unknown"`: it was sent, and then the connection ended;
 * - `"late"`: it was sent, and no answer came in time.
 */
export type Fate = "unstarted" | "unknown" | "late";

const fates = new WeakMap<MpError, Fate>();

/** Notes the fate of the call that fails with this error. @returns The error. */
export function withFate(error: MpError, fate: Fate): MpError {
  fates.set(error, fate);
  return error;
}

/** The fate of the call that failed with this error; `undefined` when the replica has answered with it. */
export function fateOf(error: MpError): Fate | undefined {
  return fates.get(error);
}

/** The same error for the caller, to whom it says no more of what has begun. */
export function withoutFate(error: MpError): MpError {
  return fates.has(error) ? new MpError(error.code, error.message, error) : error;
}
