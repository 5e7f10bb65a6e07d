/**
 * Calls in spans, where telemetry is on.
 *
 * @module
 */

import type { PartClient } from "../topology/target.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Responder } from "./responder.ts";

/** A responder that answers each call from another replica in a span. */
export function tracedResponder(
  respond: Responder,
  tracing: Tracing | undefined,
  { path, name }: { readonly path: string; readonly name: string },
): Responder {
  if (tracing === undefined) return respond;
  const where = { from: "replica", path, replica: name } as const;
  return (payload, context) => tracing.answer(where, context, () => respond(payload, context));
}

/**
 * A client of a part that makes each call in a span.
 *
 * @param first The flat index of its first replica.
 */
export function tracedPart(
  client: PartClient,
  tracing: Tracing | undefined,
  { path, first = 0 }: { readonly path: string; readonly first?: number },
): PartClient {
  if (tracing === undefined) return client;
  const call: PartClient["call"] = (index, routed) =>
    tracing.call(
      { path, replica: `${path}.${first + index}` },
      routed.trace ?? routed.context.trace,
      (trace) => client.call(index, { ...routed, trace }),
    );
  return Object.freeze(Object.assign(Object.create(client), { call }));
}
