/**
 * The outermost deadline of a call: a handler that hangs leaves its caller with a clear error.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { afterTurn } from "../peer/turn.ts";
import type { CallContext } from "./call_context.ts";

/** The reply, or `deadline_exceeded` when it does not come in time, or `cancelled` when its caller goes away. */
export function withinDeadline<T>(reply: Promise<T>, context: CallContext): Promise<T> {
  return new Promise((resolve, reject) => {
    context.expect((reason) => {
      if (reason !== undefined) return reject(reason);
      // the calls that are made for this one may be late in the same turn, and their errors say more
      afterTurn(() => reject(late(context)));
    });
    reply.then((value) => {
      context.answered();
      resolve(value);
    }, (error) => {
      context.answered();
      reject(error);
    });
  });
}

function late({ service, replica, timeout }: CallContext): MpError {
  return new MpError(
    "deadline_exceeded",
    `Cannot call "${service}": no answer within ${timeout / 1000} s`,
    { service, replica: replica.name, reason: "timed out" },
  );
}
