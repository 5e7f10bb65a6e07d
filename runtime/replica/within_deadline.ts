/**
 * The outermost deadline of a call: a handler that hangs leaves its caller with a clear error.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { deadlines, Timed } from "../peer/deadlines.ts";
import type { CallContext } from "./call_context.ts";

/** Calls to parts end by the same deadline; their errors say more, and so come first. */
const SLACK = 40;

/** The reply, or `deadline_exceeded` when it does not come in time. */
export function withinDeadline<T>(reply: Promise<T>, context: CallContext): Promise<T> {
  return new Promise((resolve, reject) => {
    const expiry = new Expiry(() => reject(late(context)));
    deadlines.add(expiry, context.remaining + SLACK);
    reply.then((value) => {
      deadlines.remove(expiry);
      resolve(value);
    }, (error) => {
      deadlines.remove(expiry);
      reject(error);
    });
  });
}

class Expiry extends Timed {
  constructor(readonly onExpire: () => void) {
    super();
  }

  override expire(): void {
    this.onExpire();
  }
}

function late({ service, replica, timeout }: CallContext): MpError {
  return new MpError(
    "deadline_exceeded",
    `Cannot call "${service}": no answer within ${timeout / 1000} s`,
    { service, replica: replica.name, reason: "timed out" },
  );
}
