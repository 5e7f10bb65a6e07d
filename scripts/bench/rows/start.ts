import { makeHalves, ROOT, spawnBaseline } from "../processes.ts";
import type { Row } from "../row.ts";

/** From the start of the launcher to the first right answer of eleven replicas. */
export const start: Row = {
  name: "start",
  title: "11 replicas, start of the launcher to first right answer",
  unit: "ms",
  against: "one bare start + 11 bare `deno run` servers started at once",
  target: 1.3,
  better: "less",
  async prepare() {
    await makeHalves();
    const sides = [{ name: "mp", measure: startOurs }, { name: "bare", measure: startBare }];
    for (const { measure } of sides) await measure();
    return { sides, async [Symbol.asyncDispose]() {} };
  },
};

const startOurs = () => timeToAnswer(10);

/**
 * From the start of the launcher of `examples/histogram.ts` to its first right answer, in milliseconds.
 *
 * @param options Further options of `mp run`.
 */
export async function timeToAnswer(
  leaves: number,
  ...options: readonly string[]
): Promise<number> {
  const state = await Deno.makeTempDir({ prefix: "mp-bench-" });
  const port = freePort();
  const before = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--unstable-net", `${ROOT}mp.ts`],
      ...["run", `${ROOT}examples/histogram.ts`, "--port", String(port)],
      ...["--replicas", `histogram-service.scatter=${leaves}`],
      ...options,
    ],
    env: { XDG_STATE_HOME: state },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const counts = await firstAnswer(port);
    const elapsed = performance.now() - before;
    const sum = counts.reduce((a, b) => a + b, 0);
    if (counts.length !== 10 || Math.abs(sum - 100 * leaves) > 5 * leaves) {
      throw new Error(`a wrong answer: ${counts}`);
    }
    return elapsed;
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(state, { recursive: true });
  }
}

async function firstAnswer(port: number): Promise<number[]> {
  const deadline = performance.now() + 30_000;
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ jsonrpc: "2.0", method: "histogram-service", params: [{}], id: 1 });
  while (performance.now() < deadline) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", headers, body });
      return (await response.json()).result;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  throw new Error("no answer within 30 s");
}

async function startBare(): Promise<number> {
  const before = performance.now();
  const child = spawnBaseline("bare_start");
  const { success } = await child.status;
  await child.stdout.cancel();
  if (!success) throw new Error("the bare servers failed");
  return performance.now() - before;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
