import { start } from "../../../testing.ts";
import { ROOT } from "../processes.ts";
import type { Row } from "../row.ts";

const BUDGET = 25;

/** From a script that is bundled to eleven replicas in one process that are ready. */
export const memoryDriver: Row = {
  name: "memory-driver",
  title: "11 replicas, memory driver, time to ready",
  unit: "ms",
  against: `a budget of ${BUDGET} ms`,
  target: 1,
  better: "less",
  async prepare() {
    await startOurs();
    const sides = [
      { name: "mp", measure: startOurs },
      { name: "budget", measure: () => Promise.resolve(BUDGET) },
    ];
    return { sides, async [Symbol.asyncDispose]() {} };
  },
};

async function startOurs(): Promise<number> {
  const before = performance.now();
  await using app = await start(`${ROOT}examples/histogram.ts`);
  const elapsed = performance.now() - before;
  const counts = await app.call<number[]>("histogram-service", {});
  if (counts.length !== 10) throw new Error(`a wrong answer: ${counts}`);
  return elapsed;
}
