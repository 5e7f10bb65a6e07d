/**
 * A fan-out over ten leaves, by `mp` and by hand.
 *
 * @module
 */

import { ROOT, runBaseline, runTopology } from "./processes.ts";
import type { Prepared } from "./row.ts";

/** The service that fans out. */
export const METHOD = "histogram-service";

/** Starts a fan-out over ten leaves, and the same written by hand. */
export async function prepareFanOut(
  measureOf: (url: string) => Promise<number>,
): Promise<Prepared> {
  const stack = new AsyncDisposableStack();
  const ours = stack.use(await runTopology(`${ROOT}examples/histogram.ts`));
  const sockets = stack.use(await runBaseline("fan_out"));
  const fetches = stack.use(await runBaseline("fan_out", ["fetch"]));
  const side = (name: string, { url }: { url: string }) => ({
    name,
    measure: () => measureOf(url),
  });
  const sides = [side("mp", ours), side("WebSockets", sockets), side("fetch", fetches)];
  for (const { measure } of sides) await measure();
  return { sides, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
