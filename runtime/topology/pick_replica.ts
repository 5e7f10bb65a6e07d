/**
 * How one of several equal replicas is chosen.
 *
 * @module
 */

import type { PartClient } from "./target.ts";

/**
 * - `"least-loaded"`: the less loaded of two replicas chosen at random (Mitzenmacher, "The Power of Two
 *   Choices in Randomized Load Balancing", 2001), where load is the calls without an answer;
 * - `"round-robin"`: one after the other;
 * - `"random"`: each with the same probability.
 */
export type SpreadStrategy = "least-loaded" | "round-robin" | "random";

/** Chooses the index of a replica. */
export type Pick = (part: PartClient) => number;

const PICKS: Record<SpreadStrategy, () => Pick> = {
  "least-loaded": () => (part) => {
    const one = randomAvailable(part);
    const other = randomAvailable(part);
    return part.pending(other) < part.pending(one) ? other : one;
  },
  "round-robin": () => {
    let last = -1;
    return (part) => last = available(part, (last + 1) % part.replicas);
  },
  "random": () => randomAvailable,
};

/**
 * Makes a chooser with the state that its strategy needs. Replicas that are not available are passed
 * over, unless none is.
 *
 * @throws {RangeError} For an unknown strategy.
 */
export function pickReplica(strategy: SpreadStrategy): Pick {
  if (!Object.hasOwn(PICKS, strategy)) {
    throw new RangeError(
      `Cannot spread by ${JSON.stringify(strategy)}: the strategies are ${
        Object.keys(PICKS).join(", ")
      }`,
    );
  }
  return PICKS[strategy]();
}

function randomAvailable(part: PartClient): number {
  return available(part, Math.floor(Math.random() * part.replicas));
}

/** The first available replica from `start` on; `start` itself when none is. */
function available(part: PartClient, start: number): number {
  if (part.available(start)) return start;
  for (let step = 1; step < part.replicas; step++) {
    const index = (start + step) % part.replicas;
    if (part.available(index)) return index;
  }
  return start;
}
