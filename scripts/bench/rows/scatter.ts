import { load } from "../load.ts";
import { ROOT, runBaseline, runTopology } from "../processes.ts";
import type { Prepared, Row } from "../row.ts";

const METHOD = "histogram-service";

async function prepare(measureOf: (url: string) => Promise<number>): Promise<Prepared> {
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

/** Requests per second of a fan-out over ten leaves. */
export const scatterThroughput: Row = {
  name: "scatter",
  title: "scatter over 10 leaves, 32 callers",
  unit: "requests/s",
  against: "a hand-written fan-out over ten open WebSockets",
  target: 0.8,
  better: "more",
  prepare: () =>
    prepare(async (url) =>
      (await load({ url, method: METHOD, connections: 32 })).requestsPerSecond
    ),
};

/** The latency of the same for one caller. */
export const scatterLatency: Row = {
  name: "latency",
  title: "the same, one caller, median latency",
  unit: "ms",
  against: "the same",
  target: 1.25,
  better: "less",
  prepare: () =>
    prepare(async (url) => (await load({ url, method: METHOD, connections: 1 })).latency),
};
