import { makeHalves, memoryOf, ROOT, runBaseline, runTopology, type Served } from "../processes.ts";
import type { Row } from "../row.ts";

/** The memory of eleven idle replicas and their launcher. Each side runs alone, for shared pages are shared with all. */
export const memory: Row = {
  name: "memory",
  title: "11 idle replicas and the launcher, PSS",
  unit: "MiB",
  against: "12 bare Deno.serve processes",
  target: 1.25,
  better: "less",
  async prepare() {
    await makeHalves();
    const sides = [
      { name: "mp", measure: () => measure(() => runTopology(`${ROOT}examples/histogram.ts`)) },
      { name: "bare", measure: () => measure(() => runBaseline("bare_start", ["stay"])) },
    ];
    return { sides, async [Symbol.asyncDispose]() {} };
  },
};

async function measure(run: () => Promise<Served>): Promise<number> {
  await using served = await run();
  // what start-up leaves behind is collected within a second
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return memoryOf(served.pid);
}
