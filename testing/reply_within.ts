/**
 * The patience of a test that calls.
 *
 * @module
 */

import { MpError } from "../runtime/errors.ts";

/** How much longer than the call may take its answer is waited for: the deployment knows better why there is none. */
const SLACK = 200;

/** The reply, or `deadline_exceeded` when it does not come in time. */
export function replyWithin<T>(
  reply: Promise<T>,
  { service, timeout }: { readonly service: string; readonly timeout: number },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new MpError(
          "deadline_exceeded",
          `Cannot call "${service}": no answer within ${timeout / 1000} s`,
          { service, reason: "timed out" },
        ),
      );
    }, timeout + SLACK);
    reply.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
