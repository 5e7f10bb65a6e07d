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
import type { Outcome } from "../transact/transaction.ts";
import type { CallContext } from "./call_context.ts";
import { keyedResponder } from "./keyed_responder.ts";
import type { Scopes } from "./scopes.ts";

/** Answers one call. Never throws anything but an {@linkcode MpError} that names service and replica. */
export type Responder = (payload: Payload, context: CallContext) => Promise<Payload> | Payload;

/** Options of {@linkcode responder}. */
export interface ResponderOptions {
  /** The clients of the parts that the pattern calls, by name. */
  readonly parts: Readonly<Record<string, PartClient>>;
  readonly scopes: Pick<Scopes, "commit" | "recall" | "keep" | "preload">;
  /** Told of errors that the user's code threw, with their stacks. */
  readonly onFault: (error: unknown, context: CallContext) => void;
}

/** Makes the responder of a subservice. */
export function responder(place: Placed, options: ResponderOptions): Responder {
  const { target } = place;
  const { parts, scopes, onFault } = options;
  const run: (payload: Payload, context: CallContext) => unknown = isPattern(target)
    ? (payload, context) => target.route({ request: payload.value, payload, context }, parts)
    : (payload, context) => target(payload.value, context);

  const respond = (payload: Payload, context: CallContext): Promise<Payload> | Payload =>
    context.idempotencyKey === undefined
      ? start(payload, context)
      : respondOnce(payload, context).catch((error) => {
        throw attribute(error, context);
      });

  const respondLoaded = (payload: Payload, context: CallContext): Promise<Payload> | Payload => {
    const loading = scopes.preload(context, place.scopes);
    if (loading === undefined) return respondNow(payload, context);
    return loading.then(() => respondNow(payload, context));
  };

  const respondNow = (payload: Payload, context: CallContext): Promise<Payload> | Payload => {
    context.payload = payload;
    let reply: unknown;
    try {
      reply = context.run(run, payload);
      if (isPromise(reply)) return respondLater(reply, payload, context);
      context.end();
      if (context.view === undefined) return encode(reply);
    } catch (error) {
      if (context.view === undefined) return fail(error, context);
      return transact({ error }, payload, context);
    }
    return transact({ value: reply }, payload, context);
  };

  const respondLater = async (
    reply: Promise<unknown>,
    payload: Payload,
    context: CallContext,
  ): Promise<Payload> => {
    let outcome: Outcome;
    try {
      outcome = { value: await reply };
      context.end();
      if (context.view === undefined) return encode(outcome.value);
    } catch (error) {
      if (context.view === undefined) return fail(error, context);
      outcome = { error };
    }
    return await transact(outcome, payload, context);
  };

  /** A handler that has touched a scope is a transaction: nothing leaves it before it is committed. */
  const transact = async (
    outcome: Outcome,
    payload: Payload,
    context: CallContext,
  ): Promise<Payload> => {
    context.end();
    try {
      return await scopes.commit(context, encoded(outcome), (next) => {
        const end = (reply: unknown) => {
          next.end();
          return encode(reply);
        };
        const reply = next.run(run, Payload.ofText(payload.text));
        return isPromise(reply) ? reply.then(end) : end(reply);
      });
    } catch (error) {
      return fail(error, context);
    }
  };

  const fail = (error: unknown, context: CallContext): never => {
    context.end();
    // what other parts still do for a router that has failed is for nobody
    if (isPattern(target)) context.cancelDependents(givenUp());
    // what mp itself refuses says all in its message, to the caller
    if (!(error instanceof MpError)) onFault(error, context);
    throw attribute(error, context);
  };

  const start = place.scopes.length === 0 || isPattern(target) ? respondNow : respondLoaded;
  const respondOnce = keyedResponder({ place, scopes, respond: start });
  return respond;
}

function encoded(outcome: Outcome): Outcome {
  if ("error" in outcome) return outcome;
  try {
    return { value: encode(outcome.value) };
  } catch (error) {
    return { error };
  }
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
  const { replica } = context;
  if (!(error instanceof MpError)) {
    return new MpError("handler_failed", messageOf(error), {
      cause: error,
      service: context.service,
      replica: replica.name,
      reason: "threw",
    });
  }
  if (error.replica !== undefined && error.service !== undefined) return error;
  return new MpError(error.code, error.message, {
    cause: error,
    service: error.service ?? serviceOf(error.replica) ?? context.service,
    replica: error.replica ?? replica.name,
    reason: error.reason,
    retryAfter: error.retryAfter,
    next: error.next,
  });
}

function givenUp(): MpError {
  return new MpError("cancelled", "The call was given up: another part of it has failed");
}

/** The service of a replica, by its name: a path begins with it, and it holds no dot itself. */
function serviceOf(replica: string | undefined): string | undefined {
  return replica?.split(".")[0];
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise ||
    (typeof value === "object" && value !== null &&
      typeof (value as { then?: unknown }).then === "function");
}
