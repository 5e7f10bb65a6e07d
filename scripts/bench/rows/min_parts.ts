import { replicaOf, ROOT, runTopology } from "../processes.ts";
import type { Row } from "../row.ts";

/** The option `timeout` of the topology. */
const DEADLINE = 500;
const CALLS = 10;

/** Whether a scatter that can do without a leaf answers in time when that leaf does not answer at all. */
export const minParts: Row = {
  name: "min-parts",
  title: "scatter over 10 leaves with minParts 9, one stopped, slowest of 10 calls",
  unit: "ms",
  against: "its deadline",
  target: 1,
  better: "less",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const { url, pid } = stack.use(
      await runTopology(`${ROOT}scripts/bench/topologies/min_parts.ts`),
    );
    const stopped = replicaOf(pid, "most.scatter.3");
    const slowest = async (parts: number): Promise<number> => {
      let most = 0;
      for (let i = 0; i < CALLS; i++) most = Math.max(most, await timed(url, parts));
      return most;
    };
    await slowest(10);
    const sides = [
      {
        name: "one stopped",
        async measure() {
          Deno.kill(stopped, "SIGSTOP");
          try {
            return await slowest(9);
          } finally {
            Deno.kill(stopped, "SIGCONT");
          }
        },
      },
      { name: "deadline", measure: () => Promise.resolve(DEADLINE) },
      { name: "none stopped", measure: () => slowest(10) },
    ];
    return { sides, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  },
};

/** How long a call takes that is answered with so many parts, in milliseconds. */
async function timed(url: string, parts: number): Promise<number> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "most" });
  const headers = { "content-type": "application/json" };
  const started = performance.now();
  const reply = await (await fetch(url, { method: "POST", headers, body })).json();
  if (reply.result !== parts) throw new Error(`a wrong answer: ${JSON.stringify(reply)}`);
  return performance.now() - started;
}
