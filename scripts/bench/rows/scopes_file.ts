import { runBaseline, runTopology } from "../processes.ts";
import type { Row, Side } from "../row.ts";
import {
  byHand,
  CALLERS,
  MANY,
  rateOf,
  transact,
  TRANSACTIONS,
  warmedUp,
} from "../transactions.ts";

/** Many scopes in a file. */
export const scopesInFile: Row = {
  name: "scopes-file",
  title: "many scopes, 64 callers (file)",
  unit: "commits/s",
  against: "one SQLite transaction a commit, same durability",
  target: 5,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "mp-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const ours = stack.use(await runTopology(TRANSACTIONS, ["--storage", `file:${folder}/mp.db`]));
    const theirs = stack.use(await runBaseline("sqlite_load", [`${folder}/raw.db`, `${MANY}`]));
    const mp: Side = {
      name: "mp",
      measure: async () => rateOf(await transact(ours, "one", { callers: CALLERS, scopes: MANY })),
    };
    return await warmedUp(stack, { sides: [mp, byHand("SQLite", [theirs])] });
  },
};
