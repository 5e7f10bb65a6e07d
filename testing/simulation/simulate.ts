/**
 * Many runs of a topology under faults, each drawn from a seed.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import { assertNoneOpen } from "../open_apps.ts";
import { planScript } from "../plan_script.ts";
import { prepareScript } from "../prepared_script.ts";
import type { TestingParts } from "../start_memory.ts";
import { drawFaults, type Fault, FAULT_KINDS, type FaultKind } from "./fault.ts";
import { checkImports } from "./replica_globals.ts";
import { type RunOptions, type RunOutcome, runSimulation } from "./run_simulation.ts";
import { seededRandom } from "./seeded_random.ts";
import type { SimulateOptions, SimulateResult } from "./simulate_options.ts";
import { SimulationError } from "./simulation_error.ts";

/** `simulate()`, made of what `testing.ts` joins. */
export type Simulate = (script: string | URL, options: SimulateOptions) => Promise<SimulateResult>;

/** Virtual time is the whole process's, so one simulation runs at a time. */
let turn: Promise<unknown> = Promise.resolve();

/** Makes `simulate()`. */
export function makeSimulate(parts: TestingParts): Simulate {
  return (script, options) => {
    const run = turn.then(() => simulate(script, options, parts));
    turn = run.catch(() => {});
    return run;
  };
}

async function simulate(
  script: string | URL,
  options: SimulateOptions,
  parts: TestingParts,
): Promise<SimulateResult> {
  const seeds = seedsOf(options);
  const kinds = kindsOf(options);
  assertNoneOpen("simulate");
  const prepared = await prepareScript(script);
  checkImports(prepared.bundle.code);
  // not the process's own, which is another elsewhere
  const env = { ...options.env, MP_STORAGE: "memory" };
  const { replicas: widths, name, signal } = options;
  const plan = await planScript(prepared, { api: parts.api, env, widths, name });
  const { scenario, always, eventually } = options;
  const attempt = (seed: Seed, only?: readonly number[]): Promise<RunOutcome> => {
    const kept = only ?? seed.only;
    const run: RunOptions = {
      ...parts,
      prepared,
      plan,
      env,
      scenario,
      always,
      eventually,
      seed: seed.text,
      faults: drawFaults(seededRandom(seed.text).fork("faults"), plan, kinds)
        .filter(({ number }) => kept === undefined || kept.includes(number)),
    };
    return runSimulation(run);
  };
  let steps = 0;
  let faults = 0;
  let history: readonly string[] = [];
  for (const seed of seeds) {
    signal?.throwIfAborted();
    const outcome = await attempt(seed);
    steps += outcome.steps;
    faults += outcome.came.length;
    history = outcome.history;
    if (outcome.failure === undefined) continue;
    const least = await shrink(outcome, (only) => attempt(seed, only));
    const numbers = least.came.map(({ number }) => number);
    // without faults taken away, the seed alone is the same run
    const isWhole = seed.only === undefined && numbers.length === outcome.came.length;
    throw new SimulationError(
      isWhole ? seed.text : `${seed.text}:${numbers.join(",")}`,
      least,
      outcome.came.length,
    );
  }
  return { runs: seeds.length, steps, faults, history: history.join("\n") };
}

/** Takes faults away, one after the other, for as long as the run still fails. */
async function shrink(
  outcome: RunOutcome,
  attempt: (only: readonly number[]) => Promise<RunOutcome>,
): Promise<RunOutcome> {
  const numbers = (faults: readonly Fault[]) => faults.map(({ number }) => number);
  let least = outcome;
  for (let again = true; again;) {
    again = false;
    for (const number of numbers(least.came)) {
      const fewer = await attempt(numbers(least.came).filter((other) => other !== number));
      if (fewer.failure === undefined || fewer.came.length >= least.came.length) continue;
      least = fewer;
      again = true;
      break;
    }
  }
  return least;
}

/** A seed, and the numbers of the faults that may come, when not all may. */
interface Seed {
  readonly text: string;
  readonly only?: readonly number[];
}

/** @throws {RangeError | TypeError} For a seed that is none, and a wrong number of runs. */
function seedsOf({ seed = 1, runs = typeof seed === "string" ? 1 : 100 }: SimulateOptions): Seed[] {
  const match = /^(\d+)(?::((?:\d+(?:,\d+)*)?))?$/.exec(String(seed));
  if (!match || !Number.isSafeInteger(Number(match[1]))) {
    throw new RangeError(
      `Cannot simulate with the seed ${
        JSON.stringify(seed)
      }: give a whole number, or what was told of a failure`,
    );
  }
  if (!Number.isInteger(runs) || runs < 1) {
    throw new RangeError(`Cannot simulate ${runs} runs: give a whole number from 1`);
  }
  const [, first, only] = match;
  if (only !== undefined) {
    return [{ text: first!, only: only === "" ? [] : only.split(",").map(Number) }];
  }
  return Array.from({ length: runs }, (_, i) => ({ text: String(Number(first) + i) }));
}

function kindsOf({ faults = FAULT_KINDS }: SimulateOptions): readonly FaultKind[] {
  if (faults === false) return [];
  for (const kind of faults) {
    if (FAULT_KINDS.includes(kind)) continue;
    throw new MpError("usage", `Cannot simulate faults of the kind ${JSON.stringify(kind)}`, {
      next: `The kinds are ${FAULT_KINDS.join(", ")}`,
    });
  }
  return faults;
}
