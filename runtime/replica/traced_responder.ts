/**
 * Answers in spans, where telemetry is on.
 *
 * @module
 */

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
