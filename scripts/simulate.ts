/**
 * `deno task test:simulate [--seeds 10000] [--from 1] [--only NAME]`: simulates the project's own patterns and
 * transactions over many seeds. Each run that fails tells the seed that replays it.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { simulate, SimulationError } from "../testing.ts";
import { SUITES } from "../tests/testing/simulation/suites.ts";

/** How many seeds are simulated before the next suite gets its turn. */
const CHUNK = 100;

const flags = parseArgs(Deno.args, {
  string: ["seeds", "from", "only"],
  default: { seeds: "10000", from: "1" },
});
const [seeds, from] = [Number(flags.seeds), Number(flags.from)];
const suites = SUITES.filter(({ name }) => flags.only === undefined || name.includes(flags.only));
if (!Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(from) || suites.length === 0) {
  console.error("usage: deno task test:simulate [--seeds 10000] [--from 1] [--only NAME]");
  Deno.exit(2);
}

const began = performance.now();
const each = Math.ceil(seeds / suites.length);
const totals = suites.map((suite) => ({ suite, runs: 0, faults: 0, steps: 0 }));
let failed = 0;
for (let done = 0; done < each; done += CHUNK) {
  for (const total of totals) {
    const { script, options, name } = total.suite;
    const runs = Math.min(CHUNK, each - done);
    try {
      const result = await simulate(script, { ...options(), seed: from + done, runs });
      total.runs += runs;
      total.faults += result.faults;
      total.steps += result.steps;
    } catch (error) {
      if (!(error instanceof SimulationError)) throw error;
      failed++;
      console.error(`\n${name}\n${error.message}`);
    }
  }
}
const seconds = (performance.now() - began) / 1000;
for (const { suite, runs, faults, steps } of totals) {
  console.log(`${suite.name}: ${runs} runs, ${faults} faults, ${steps} steps`);
}
const runs = totals.reduce((sum, total) => sum + total.runs, 0);
console.log(
  `${runs} runs in ${Math.round(seconds)} s, ${
    Math.round(runs / seconds * 60)
  } a minute; ${failed} failed`,
);
Deno.exit(failed > 0 ? 1 : 0);
