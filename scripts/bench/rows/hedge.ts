import { replicaOf, ROOT, runTopology } from "../processes.ts";
import type { Row, Side } from "../row.ts";
import { steadyLoad } from "../steady_load.ts";

const RATE = 300;
const SECONDS = 10;
/** One replica is stopped for one hundredth of the time. */
const STOPPED = 50;
const EVERY = 5_000;

/** What hedging makes of the slowest calls when one of three replicas is stopped now and then. */
export const hedge: Row = {
  name: "hedge",
  title: `spread over 3 replicas, one stopped for 1 % of the time, ${RATE} calls/s, p99`,
  unit: "ms",
  against: "the same with none stopped",
  target: 2,
  better: "less",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const { url, pid } = stack.use(await runTopology(`${ROOT}scripts/bench/topologies/hedged.ts`));
    const run = async (service: string, stops: boolean): Promise<number[]> => {
      const replica = stops ? replicaOf(pid, `${service}.compute.1`) : undefined;
      using _ = replica === undefined ? undefined : stoppedNowAndThen(replica);
      return await steadyLoad({ url, method: service, rate: RATE, seconds: SECONDS });
    };
    // the percentile after which calls are hedged has to be known
    await run("hedged", false);
    await run("plain", false);
    const slowest = new Map<string, number>();
    const side = (name: string, service: string, stops: boolean): Side => ({
      name,
      async measure() {
        const times = await run(service, stops);
        slowest.set(name, quantile(times, 0.999));
        return quantile(times, 0.99);
      },
    });
    const sides = [
      side("hedged", "hedged", true),
      side("none stopped", "hedged", false),
      side("not hedged", "plain", true),
    ];
    const others = sides.map(({ name }): Side => ({
      name: `${name}, p99.9`,
      measure: () => Promise.resolve(slowest.get(name)!),
    }));
    return { sides: [...sides, ...others], [Symbol.asyncDispose]: () => stack.disposeAsync() };
  },
};

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1]!;
}

function stoppedNowAndThen(pid: number): Disposable {
  let resume: ReturnType<typeof setTimeout> | undefined;
  const timer = setInterval(() => {
    Deno.kill(pid, "SIGSTOP");
    resume = setTimeout(() => Deno.kill(pid, "SIGCONT"), STOPPED);
  }, EVERY - STOPPED);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      clearTimeout(resume);
      Deno.kill(pid, "SIGCONT");
    },
  };
}
