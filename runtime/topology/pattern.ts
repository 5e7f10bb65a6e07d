/**
 * What every pattern does to be made.
 *
 * @module
 */

import { checkOptions } from "./check_options.ts";
import { checkReplicas } from "./names.ts";
import type { Parts, PatternTarget, TargetOptions } from "./target.ts";
import { checkTarget } from "./topology.ts";

/**
 * Makes the target of a pattern, once its parts and options have been checked.
 *
 * @throws {RangeError | TypeError} For a wrong number of replicas, a part that is no target, or bad options.
 */
export function makePattern<Q, R, Router extends string, Children extends Parts>(
  definition: PatternTarget<Q, R, Router, Children>,
): PatternTarget<Q, R, Router, Children> {
  const { pattern, parts, options } = definition;
  for (const [name, part] of Object.entries(parts)) {
    checkReplicas(part.replicas, `mp.${pattern}()`);
    checkTarget(`mp.${pattern}()`, part.target, name);
  }
  checkOptions(`mp.${pattern}()`, options);
  checkHedge(pattern, parts, options);
  return Object.freeze(definition);
}

/** Calls can be hedged to parts any of whose replicas can answer. */
function checkHedge(
  pattern: string,
  parts: PatternTarget["parts"],
  { hedge }: TargetOptions,
): void {
  if (hedge === undefined) return;
  const equal = Object.values(parts).filter(({ state }) => state === "none");
  if (equal.length === 0) {
    throw new TypeError(
      `Cannot make mp.${pattern}(): hedge needs replicas any of which can answer, as of mp.spread()`,
    );
  }
  if (equal.every(({ replicas }) => replicas === 1)) {
    throw new RangeError(`Cannot make mp.${pattern}(): hedge needs at least 2 replicas`);
  }
}

/** Checks that an argument is a function. @throws {TypeError} */
export function checkFunction(what: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new TypeError(
    `Cannot make ${what}: ${name} is ${value === null ? "null" : typeof value}, not a function`,
  );
}
