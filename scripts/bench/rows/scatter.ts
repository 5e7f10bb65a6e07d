import { METHOD, prepareFanOut } from "../fan_out.ts";
import { load } from "../load.ts";
import type { Row } from "../row.ts";

/** Requests per second of a fan-out over ten leaves. */
export const scatterThroughput: Row = {
  name: "scatter",
  title: "scatter over 10 leaves, 32 callers",
  unit: "requests/s",
  against: "a hand-written fan-out over ten open WebSockets",
  target: 0.8,
  better: "more",
  prepare: () =>
    prepareFanOut(async (url) =>
      (await load({ url, method: METHOD, connections: 32 })).requestsPerSecond
    ),
};
