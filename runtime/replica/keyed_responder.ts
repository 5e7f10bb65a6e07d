/**
 * Answers calls with an idempotency key, so that a handler's transaction happens at most once.
 *
 * A handler that touches `mp.scope` is one transaction, and its reply is kept by that transaction: one
 * round trip, as without a key. Any other may do what cannot be undone, so it is looked first whether the
 * call was answered before, and its reply is kept when it is there. Which of the two a handler is shows
 * when it has run; one that was taken for a transaction is stopped at its first effect.
 *
 * @module
 */

import { Payload } from "../payload.ts";
import { isPattern } from "../topology/topology.ts";
import type { Placed } from "../topology/walk.ts";
import { KeptReply } from "../transact/kept_reply.ts";
import type { CallContext } from "./call_context.ts";
import type { Responder } from "./responder.ts";
import type { Scopes } from "./scopes.ts";

/** Options of {@linkcode keyedResponder}. */
export interface KeyedResponderOptions {
  readonly place: Pick<Placed, "path" | "target" | "state" | "width">;
  readonly scopes: Pick<Scopes, "recall" | "keep">;
  /** Answers a call; as one transaction, which keeps the reply, when the handler touches `mp.scope`. */
  readonly respond: Responder;
}

/** Makes the responder for calls with a key. */
export function keyedResponder(
  { place, scopes, respond }: KeyedResponderOptions,
): (payload: Payload, context: CallContext) => Promise<Payload> {
  const keep = isPattern(place.target) ? keepNothing : keepReplies();
  return async (payload, context) => {
    context.reply = new KeptReply({
      owner: [ownerOf(place, context), context.user ?? ""],
      idempotencyKey: context.idempotencyKey!,
      request: payload.text,
    });
    return await keep(payload, context);
  };

  /** A router passes the key on, to parts that keep replies themselves. */
  function keepNothing(payload: Payload, context: CallContext): Promise<Payload> | Payload {
    return respond(payload, context);
  }

  function keepReplies() {
    let isTransaction = false;

    async function runAsTransaction(payload: Payload, context: CallContext): Promise<Payload> {
      context.stopsAtEffect = true;
      try {
        return await respond(payload, context);
      } finally {
        isTransaction = context.view !== undefined && !context.isStopped;
      }
    }

    async function lookFirst(payload: Payload, context: CallContext): Promise<Payload> {
      const known = await scopes.recall(context);
      if (known !== undefined) return known;
      const reply = await keepError(() => respond(payload, context), context);
      isTransaction = context.view !== undefined;
      return isTransaction ? reply : await scopes.keep(context, { value: reply });
    }

    /** An error of a handler that has done nothing is kept; one that is a transaction has kept it itself. */
    async function keepError(
      run: () => Payload | Promise<Payload>,
      context: CallContext,
    ): Promise<Payload> {
      try {
        return await run();
      } catch (error) {
        const isDone = context.view !== undefined || context.isStopped;
        if (isDone || context.effect !== undefined) throw error;
        return await scopes.keep(context, { error });
      }
    }

    return async (payload: Payload, context: CallContext): Promise<Payload> => {
      if (!isTransaction) return await lookFirst(payload, context);
      try {
        const reply = await keepError(() => runAsTransaction(payload, context), context);
        if (!context.isStopped) {
          return context.view ? reply : await scopes.keep(context, { value: reply });
        }
      } catch (error) {
        if (!context.isStopped) throw error;
      }
      return await lookFirst(Payload.ofText(payload.text), context.again(undefined));
    };
  }
}

/**
 * What shares its replies: all replicas of a part without state that one router spreads over, and each replica
 * of any other by itself, for every one of these is asked the same.
 */
function ownerOf({ path, state, width }: KeyedResponderOptions["place"], { replica }: CallContext) {
  const index = Number(replica.name.slice(path.length + 1));
  return `${path}.${state === "none" ? Math.floor(index / width) : index}`;
}
