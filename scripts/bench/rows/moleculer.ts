import { besidePeer } from "../beside_peer.ts";
import type { Row } from "../row.ts";

/** Calls that a door passes on to another process. */
export const besideMoleculer: Row = besidePeer({
  name: "moleculer",
  title: "one remote call a request, 32 callers, beside moleculer",
  against: "moleculer 0.15.2 over TCP",
  target: 1,
  topology: "scripts/bench/topologies/remote_echo.ts",
  method: "echo",
  peer: ["moleculer", "1"],
});
