import { load } from "../load.ts";
import { processTree, ROOT, runTopology } from "../processes.ts";
import type { Row } from "../row.ts";

const EARLY = 100_000;
const LATE = 1_000_000;

/** The resident memory of a router and its leaf after many calls, beside that after a tenth of them. */
export const leak: Row = {
  name: "leak",
  title: "memory of router and leaf after 1,000,000 calls",
  unit: "MiB",
  against: "the same processes after 100,000 calls",
  target: 1.1,
  better: "less",
  // deno-lint-ignore require-await -- nothing is started ahead
  async prepare() {
    let early = 0;
    const sides = [
      {
        name: "after 1,000,000",
        async measure() {
          const script = `${ROOT}scripts/bench/topologies/remote_echo.ts`;
          await using served = await runTopology(script);
          const calls = caller(served.url);
          await calls(EARLY);
          early = residentOf(served.pid);
          await calls(LATE - EARLY);
          return residentOf(served.pid);
        },
      },
      { name: "after 100,000", measure: () => Promise.resolve(early) },
    ];
    return { sides, async [Symbol.asyncDispose]() {} };
  },
};

/** Makes at least so many calls. */
function caller(url: string): (count: number) => Promise<void> {
  return async (count) => {
    for (let done = 0; done < count;) {
      const seconds = 2;
      const { requestsPerSecond } = await load({ url, method: "echo", connections: 32, seconds });
      done += requestsPerSecond * seconds;
    }
  };
}

/** The resident set size of all replicas of a launcher, in MiB. */
function residentOf(launcher: number): number {
  const [, ...replicas] = processTree(launcher);
  return replicas.reduce((sum, pid) => {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return sum + Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024;
  }, 0);
}
