import { startRedis } from "../../../tests/support/servers/redis_server.ts";
import { runBaseline, runTopology } from "../processes.ts";
import type { Row } from "../row.ts";
import { byHand, MANY, oneCaller, TRANSACTIONS, warmedUp } from "../transactions.ts";

/**
 * Many scopes that one caller changes, a millisecond away from the server. What counts is round trips, so the servers
 * do not wait for their disk.
 */
export const farScopesInRedis: Row = {
  name: "far-scopes-redis",
  title: "many scopes, one caller, 1 ms injected round trip (redis)",
  unit: "commits/s",
  against: "read, then conditional write",
  target: 1.7,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await startRedis({ appendfsync: "everysec" }));
    const network = stack.use(await runBaseline("slow_network", [String(server.port)]));
    const { port } = new URL(network.url);
    const ours = stack.use(
      await runTopology(TRANSACTIONS, ["--storage", `redis://127.0.0.1:${port}/0`]),
    );
    const theirs = stack.use(
      await runBaseline("redis_load", ["conditional", port, "1", `${MANY}`]),
    );
    return await warmedUp(stack, { sides: [oneCaller(ours), byHand("raw client", [theirs])] });
  },
};
