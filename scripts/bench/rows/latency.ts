import { METHOD, prepareFanOut } from "../fan_out.ts";
import { load } from "../load.ts";
import type { Row } from "../row.ts";

/** The latency of the same for one caller. */
export const scatterLatency: Row = {
  name: "latency",
  title: "the same, one caller, median latency",
  unit: "ms",
  against: "the same",
  target: 1.25,
  better: "less",
  prepare: () =>
    prepareFanOut(async (url) => (await load({ url, method: METHOD, connections: 1 })).latency),
};
