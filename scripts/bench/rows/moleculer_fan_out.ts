import { besidePeer } from "../beside_peer.ts";
import type { Row } from "../row.ts";

/** A fan-out over ten processes. */
export const fanOutBesideMoleculer: Row = besidePeer({
  name: "moleculer-fan-out",
  title: "scatter over 10 leaves, 32 callers, beside moleculer",
  against: "moleculer 0.15.2 over TCP, ten nodes",
  target: 1.5,
  topology: "examples/histogram.ts",
  method: "histogram-service",
  peer: ["moleculer", "10"],
});
