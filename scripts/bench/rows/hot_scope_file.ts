import { runBaseline, runTopology } from "../processes.ts";
import type { Row, Side } from "../row.ts";
import { byHand, CALLERS, rateOf, transact, TRANSACTIONS, warmedUp } from "../transactions.ts";

/** One scope in a file that many callers change, beside the store of the runtime. */
export const hotScopeInFile: Row = {
  name: "hot-scope-file",
  title: "one hot scope, 64 callers (file), beside Deno KV",
  unit: "commits/s",
  against: "Deno KV, atomic compare-and-set",
  target: 5,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "mp-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const ours = stack.use(await runTopology(TRANSACTIONS, ["--storage", `file:${folder}/mp.db`]));
    const args = [`${folder}/kv.db`, `${CALLERS}`];
    const theirs = stack.use(await runBaseline("deno_kv_load", args));
    const mp: Side = {
      name: "mp",
      measure: async () => rateOf(await transact(ours, "one", { callers: CALLERS, scopes: 1 })),
    };
    return await warmedUp(stack, { sides: [mp, byHand("Deno KV", [theirs])] });
  },
};
