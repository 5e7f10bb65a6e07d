/**
 * What a replica does with a call: run the handler, or route to parts.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";
import { Payload } from "../payload.ts";
import { isPattern } from "../topology/topology.ts";
import type { Placed } from "../topology/walk.ts";
import type { PartClient } from "../topology/target.ts";
import type { CallContext } from "./call_context.ts";

/** Answers one call. Never throws anything but an {@linkcode MpError} that names service and replica. */
export type Responder = (payload: Payload, context: CallContext) => Promise<Payload> | Payload;

/** Options of {@linkcode responder}. */
export interface ResponderOptions {
  /** The clients of the parts that the pattern calls, by name. */
  readonly parts: Readonly<Record<string, PartClient>>;
  /** Told of errors that the user's code threw, with their stacks. */
  readonly onFault: (error: unknown, context: CallContext) => void;
}

/** Makes the responder of a subservice. */
export function responder(place: Placed, options: ResponderOptions): Responder {
  const { target } = place;
  const { parts, onFault } = options;
  const run: (payload: Payload, context: CallContext) => unknown = isPattern(target)
    ? (payload, context) => target.route({ request: payload.value, payload, context }, parts)
    : (payload, context) => target(payload.value, context);
  const fail = (error: unknown, context: CallContext): never => {
    // what mp itself refuses says all in its message, to the caller
    if (!(error instanceof MpError)) onFault(error, context);
    throw attribute(error, context);
  };
  const finish = async (reply: Promise<unknown>, context: CallContext): Promise<Payload> => {
    try {
      return encode(await reply);
    } catch (error) {
      return fail(error, context);
    }
  };
  return (payload, context) => {
    try {
      const reply = context.run(run, payload);
      return isPromise(reply) ? finish(reply, context) : encode(reply);
    } catch (error) {
      return fail(error, context);
    }
  };
}

/** A reply is encoded before anything else runs, so that what its maker changes later is not seen. */
function encode(reply: unknown): Payload {
  if (reply instanceof Payload) return reply;
  try {
    return Payload.encode(reply);
  } catch (error) {
    throw error instanceof MpError
      ? new MpError("not_json", `Cannot answer: in the handler's result, ${error.message}`)
      : error;
  }
}

/** An error as callers see it: with the service and the replica in which it happened. */
export function attribute(error: unknown, context: CallContext): MpError {
  const { service, replica } = context;
  if (!(error instanceof MpError)) {
    return new MpError("handler_failed", messageOf(error), {
      cause: error,
      service,
      replica: replica.name,
      reason: "threw",
    });
  }
  if (error.replica !== undefined && error.service !== undefined) return error;
  return new MpError(error.code, error.message, {
    cause: error,
    service: error.service ?? service,
    replica: error.replica ?? replica.name,
    reason: error.reason,
  });
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise ||
    (typeof value === "object" && value !== null &&
      typeof (value as { then?: unknown }).then === "function");
}
