/**
 * A pattern's router in a test, with parts that the test answers for.
 *
 * @module
 */

import { Payload } from "../../runtime/payload.ts";
import type { Context } from "../../runtime/topology/context.ts";
import type { PartClient, PatternTarget, RoutedCall } from "../../runtime/topology/target.ts";

/** A call as a router sees it. */
export function callOf(request: unknown): RoutedCall {
  return {
    request,
    payload: Payload.of(request),
    context: { service: "s", deadline: Date.now() + 30_000 } as Context,
  };
}

/** A part that notes which replicas are called. */
export interface NotedPart extends PartClient {
  readonly calls: { index: number; call: RoutedCall; options?: { timeout?: number } }[];
}

/** A part of so many replicas, all of which `answer` stands in for. */
export function partOf(
  replicas: number,
  answer: (index: number, call: RoutedCall) => unknown,
): NotedPart {
  const calls: NotedPart["calls"] = [];
  return {
    replicas,
    calls,
    async call(index, call, options) {
      calls.push({ index, call, ...(options && { options }) });
      return Payload.encode(await answer(index, call));
    },
    callAny(pick, call) {
      return this.call(pick(this), call);
    },
    pending: () => 0,
    available: () => true,
    name: (index) => `s.part.${index}`,
  };
}

/** What a router answers: its value, or that of the payload that it passes on. */
export async function route(
  // deno-lint-ignore no-explicit-any -- patterns of every type
  target: PatternTarget<any, any, string, any>,
  request: unknown,
  parts: Record<string, PartClient>,
): Promise<unknown> {
  const reply = await target.route(callOf(request), parts);
  return reply instanceof Payload ? reply.value : reply;
}
