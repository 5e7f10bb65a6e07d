import { besidePeer } from "../beside_peer.ts";
import type { Row } from "../row.ts";

/** Simple calls beside the library that the original of `mp` served with. */
export const besideJayson: Row = besidePeer({
  name: "jayson",
  title: "simple service, 32 connections, beside jayson",
  against: "jayson 5.0.0 on Node",
  target: 3,
  topology: "scripts/bench/topologies/echo.ts",
  method: "echo",
  peer: ["jayson"],
});
