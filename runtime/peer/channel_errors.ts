/**
 * The errors of a channel. `name` is who is at its other end, for messages.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { withFate } from "./fate.ts";

/** The connection ended. @param reason `disconnected`, `leaving`, or what the other side did. */
export function unreachable(name: string, reason: string, cause?: unknown): MpError {
  return new MpError("replica_unreachable", `Cannot reach ${name}: the connection ended`, {
    reason,
    replica: name,
    cause,
  });
}

/** What has come is no message. */
export function garbled(name: string): MpError {
  return new MpError(
    "replica_unreachable",
    `Cannot read from ${name}: it does not speak this protocol`,
    { reason: "garbled", replica: name },
  );
}

/** Too much waits to be written. */
export function notReading(name: string): MpError {
  const error = new MpError(
    "overloaded",
    `Cannot call ${name}: it does not read what is sent to it`,
    { replica: name },
  );
  return withFate(error, "unstarted");
}

/** A message has more bytes than the other side takes. @param what What cannot be done: `answer: the result`. */
export function tooLong(what: string, maxMessage: number): MpError {
  return new MpError("request_too_large", `Cannot ${what} is over ${maxMessage} bytes`);
}

/** A call had no answer in time. @param stalled Whether there was no sign of life either. */
export function late(name: string, timeout: number, stalled: boolean): MpError {
  const seconds = shownSeconds(timeout);
  const error = new MpError(
    "deadline_exceeded",
    `Cannot call ${name}: no answer within ${seconds} s` +
      (stalled ? ", nor any sign of life" : ""),
    { replica: name, reason: stalled ? "stalled" : "timed out" },
  );
  return withFate(error, "late");
}

/** What is left of a second after the way to here is called a second: nobody looks for the 7 ms. */
function shownSeconds(milliseconds: number): number {
  const rough = Number((milliseconds / 1000).toPrecision(1));
  const isNear = Math.abs(rough * 1000 - milliseconds) <= milliseconds / 50;
  return isNear ? rough : Number((milliseconds / 1000).toPrecision(3));
}
