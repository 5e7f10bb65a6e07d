/**
 * What every pattern does to be made.
 *
 * @module
 */

import { checkReplicas } from "./names.ts";
import type { Parts, PatternTarget } from "./target.ts";
import { checkOptions, checkTarget } from "./topology.ts";

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
  return Object.freeze(definition);
}

/** Checks that an argument is a function. @throws {TypeError} */
export function checkFunction(what: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new TypeError(
    `Cannot make ${what}: ${name} is ${value === null ? "null" : typeof value}, not a function`,
  );
}
