import { load } from "../load.ts";
import { ROOT, runPeer, runTopology } from "../processes.ts";
import type { Row } from "../row.ts";

interface Match {
  readonly name: string;
  readonly title: string;
  readonly target: number;
  /** The script, and the method that is called. */
  readonly topology: string;
  readonly method: string;
  /** The peer's program, with its arguments. */
  readonly peer: readonly [name: string, ...args: string[]];
  readonly against: string;
}

/** Requests per second of a topology beside a peer that does the same. */
function besidePeer({ topology, method, peer, ...match }: Match): Row {
  return {
    ...match,
    unit: "requests/s",
    better: "more",
    async prepare() {
      const stack = new AsyncDisposableStack();
      const ours = stack.use(await runTopology(`${ROOT}${topology}`));
      const [name, ...args] = peer;
      const theirs = stack.use(await runPeer(name, args));
      const side = (name: string, { url }: { url: string }) => ({
        name,
        measure: async () => (await load({ url, method, connections: 32 })).requestsPerSecond,
      });
      const sides = [side("mp", ours), side(name, theirs)];
      for (const { measure } of sides) await measure();
      return { sides, [Symbol.asyncDispose]: () => stack.disposeAsync() };
    },
  };
}

/** Simple calls beside the library that the original of `mp` served with. */
export const besideJayson = besidePeer({
  name: "jayson",
  title: "simple service, 32 connections, beside jayson",
  against: "jayson 5.0.0 on Node",
  target: 3,
  topology: "scripts/bench/topologies/echo.ts",
  method: "echo",
  peer: ["jayson"],
});

/** Calls that a door passes on to another process. */
export const besideMoleculer = besidePeer({
  name: "moleculer",
  title: "one remote call a request, 32 callers, beside moleculer",
  against: "moleculer 0.15.2 over TCP",
  target: 1,
  topology: "scripts/bench/topologies/remote_echo.ts",
  method: "echo",
  peer: ["moleculer", "1"],
});

/** A fan-out over ten processes. */
export const fanOutBesideMoleculer = besidePeer({
  name: "moleculer-fan-out",
  title: "scatter over 10 leaves, 32 callers, beside moleculer",
  against: "moleculer 0.15.2 over TCP, ten nodes",
  target: 1.5,
  topology: "examples/histogram.ts",
  method: "histogram-service",
  peer: ["moleculer", "10"],
});
