/**
 * Errors between processes of one user: with the place, which never leaves the machine.
 *
 * @module
 */

import { CODES, type ErrorData, messageOf, MpError } from "../errors.ts";

/** An error as JSON. */
export interface ErrorRecord extends ErrorData {
  readonly where?: string;
}

/** Anything that was thrown, as JSON. */
export function toErrorRecord(thrown: unknown): ErrorRecord {
  if (!(thrown instanceof MpError)) return { code: "internal_error", message: messageOf(thrown) };
  const { where } = thrown;
  return { ...thrown.toData(), ...(where !== undefined && { where }) };
}

/** The error of a record. */
export function fromErrorRecord(record: ErrorRecord): MpError {
  const code = Object.hasOwn(CODES, record.code) ? record.code : "internal_error";
  return new MpError(code, record.message, record);
}
