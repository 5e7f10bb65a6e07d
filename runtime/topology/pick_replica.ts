/**
 * How one of several equal replicas is chosen.
 *
 * @module
 */

import type { Candidates, PickReplica } from "./target.ts";

/**
 * - `"least-loaded"`: the less loaded of two replicas chosen at random (Mitzenmacher, "The Power of Two
 *   Choices in Randomized Load Balancing", 2001), where load is the calls without an answer;
 * - `"round-robin"`: one after the other;
 * - `"random"`: each with the same probability.
 */
export type SpreadStrategy = "least-loaded" | "round-robin" | "random";

const PICKS: Record<SpreadStrategy, () => PickReplica> = {
  "least-loaded": () => (replicas) => {
    const one = randomAvailable(replicas);
    const other = randomAvailable(replicas);
    return replicas.pending(other) < replicas.pending(one) ? other : one;
  },
  "round-robin": () => {
    let turn = -1;
    return (replicas) => available(replicas, turn = (turn + 1) % replicas.replicas);
  },
  "random": () => randomAvailable,
};

/**
 * Makes a chooser with the state that its strategy needs. Replicas that are not available are passed
 * over, unless none is.
 *
 * @throws {RangeError} For an unknown strategy.
 */
export function pickReplica(strategy: SpreadStrategy): PickReplica {
  if (!Object.hasOwn(PICKS, strategy)) {
    throw new RangeError(
      `Cannot spread by ${JSON.stringify(strategy)}: the strategies are ${
        Object.keys(PICKS).join(", ")
      }`,
    );
  }
  return PICKS[strategy]();
}

function randomAvailable(replicas: Candidates): number {
  return available(replicas, Math.floor(Math.random() * replicas.replicas));
}

/**
 * The first choice when it is available, else any one that is, each with the same probability: the next one
 * would get the work of two. The first choice when none is.
 */
function available(replicas: Candidates, first: number): number {
  if (replicas.available(first)) return first;
  let choice = first;
  let found = 0;
  for (let index = 0; index < replicas.replicas; index++) {
    if (replicas.available(index) && Math.random() * ++found < 1) choice = index;
  }
  return choice;
}
