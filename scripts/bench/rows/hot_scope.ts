import { startRedis } from "../../../tests/support/servers/redis_server.ts";
import { runBaseline, runTopology } from "../processes.ts";
import type { Row, Side } from "../row.ts";
import { ask, byHand, CALLERS, rateOf, transact, TRANSACTIONS, warmedUp } from "../transactions.ts";

const REPLICAS = 4;

/** One scope that callers in four replicas change. */
export const hotScope: Row = {
  name: "hot-scope",
  title: "one hot scope, 4 replicas × 64 callers (redis)",
  unit: "commits/s",
  against: "one Lua increment a call",
  target: 0.3,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await startRedis());
    const ours = stack.use(await runTopology(TRANSACTIONS, ["--storage", server.url]));
    const baseline = (how: string) =>
      Promise.all(Array.from({ length: REPLICAS }, async () => {
        const args = [how, String(server.port), String(CALLERS), "1"];
        return stack.use(await runBaseline("redis_load", args));
      }));
    const [increment, watch] = [await baseline("increment"), await baseline("watch")];
    let sum = await ask<number>(ours, "sum", 1);
    const shares: number[] = [];
    const latencies: number[] = [];
    const mp: Side = {
      name: "mp",
      async measure() {
        const all = await transact(ours, "four", { callers: CALLERS, scopes: 1 });
        const commits = all.reduce((sum, { commits }) => sum + commits, 0);
        const after = await ask<number>(ours, "sum", 1);
        if (after !== sum + commits) throw new Error(`${after - sum} counted, ${commits} done`);
        sum = after;
        shares.push(Math.min(...all.map((one) => one.commits)) / commits * REPLICAS);
        latencies.push(percentile(all.flatMap((one) => one.latencies), 0.99));
        return rateOf(all);
      },
    };
    return await warmedUp(stack, {
      sides: [mp, byHand("Lua increment", increment), byHand("WATCH and MULTI", watch)],
      notes: () => [
        "mp: the count is exact in each round",
        `mp: least share of a replica ${list(shares)} of a fair one, to be at least 0.5`,
        `mp: 99 of 100 within ${list(latencies)} ms, to be less than 100`,
      ],
    });
  },
};

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!;
}

const list = (values: readonly number[]) =>
  // the first round warms up
  values.slice(1).map((value) => value.toFixed(2)).join(", ");
