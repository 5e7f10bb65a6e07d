import { load } from "../load.ts";
import { replicaOf, ROOT, runTopology } from "../processes.ts";
import type { Row } from "../row.ts";

const METHOD = "histogram-service";
/** How long a replica is stopped, in milliseconds: others leave it out by then. */
const STOPPED = 1_500;

/** Whether the throughput is back when a replica was killed, and another stopped. */
export const afterFaults: Row = {
  name: "after-faults",
  title: "scatter over 10 leaves, 32 callers, after leaves were killed and stopped",
  unit: "requests/s",
  against: "the same where nothing has happened",
  target: 0.95,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const struck = stack.use(await runTopology(`${ROOT}examples/histogram.ts`));
    const whole = stack.use(await runTopology(`${ROOT}examples/histogram.ts`));
    const measure = async (url: string) =>
      (await load({ url, method: METHOD, connections: 32 })).requestsPerSecond;
    for (const { url } of [struck, whole]) await measure(url);
    return {
      sides: [
        {
          name: "after faults",
          async measure() {
            await strike(struck);
            return await measure(struck.url);
          },
        },
        { name: "untouched", measure: () => measure(whole.url) },
      ],
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  },
};

/** Kills a leaf, stops another for a while, and waits until calls are answered again. */
async function strike({ url, pid }: { readonly url: string; readonly pid: number }): Promise<void> {
  const [killed, stopped] = [3, 5].map((leaf) => replicaOf(pid, `${METHOD}.scatter.${leaf}`));
  Deno.kill(killed!, "SIGKILL");
  Deno.kill(stopped!, "SIGSTOP");
  const calls = Array.from({ length: 20 }, () => succeeds(url));
  await new Promise((resolve) => setTimeout(resolve, STOPPED));
  Deno.kill(stopped!, "SIGCONT");
  await Promise.all(calls);
  while (!await succeeds(url));
}

async function succeeds(url: string): Promise<boolean> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: METHOD });
  const headers = { "content-type": "application/json" };
  const { error } = await (await fetch(url, { method: "POST", headers, body })).json();
  return error === undefined;
}
