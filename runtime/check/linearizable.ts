/**
 * Whether a history is linearizable: whether its operations can be put into one order that keeps to
 * what happened before what, and in which a model gives each client what it got.
 *
 * @module
 */

import { explain, type Violation } from "./explain.ts";
import type { Operation } from "./history.ts";
import type { Model } from "./model.ts";
import { findOrder } from "./find_order.ts";

/** Options of {@linkcode checkLinearizable}. */
export interface CheckOptions<Input> {
  /**
   * Names the part of the state that an operation uses: operations of different parts know nothing of each
   * other, and each part has a model of its own. A history is linearizable when that of each part is
   * (Herlihy and Wing, 1990), and many short histories are checked far faster than a long one.
   */
  readonly partOf?: (input: Input) => string;
  /** How many steps to search at most, for each part. Default: 1,000,000. */
  readonly steps?: number;
}

/** What became of a check. */
export type Verdict<State, Input, Output> =
  /** There is such an order. */
  | { readonly outcome: "linearizable" }
  /** There is none. */
  | {
    readonly outcome: "violated";
    /** The part of the state, when it has parts. */
    readonly part: string | undefined;
    readonly violation: Violation<State, Input, Output>;
    /** The same for a person, in several lines. */
    readonly message: string;
  }
  /**
   * Neither was found in as many steps as were allowed. Where many operations never returned, it can take for ever to
   * show that there is no order; what is told is how far the search came.
   */
  | {
    readonly outcome: "undecided";
    readonly part: string | undefined;
    readonly violation: Violation<State, Input, Output>;
    readonly message: string;
  };

/**
 * Checks a history.
 *
 * Operations that are not known to have returned may have happened, at any time after their call, or not.
 *
 * The algorithm is that of Wing and Gong (1993): try every order that keeps to real time, depth first,
 * with Lowe's refinement (2017), as in Porcupine: never try again what leads to a state and a set of operations that
 * were seen before. Besides, an operation that only reads is taken as soon as it fits, since nothing is lost by
 * that; of operations without a return that ask for the same, the oldest stands for all, and they are
 * tried last, so that many of them cost little.
 *
 * @returns Whether it is linearizable; what is wrong when it is not.
 *
 * @example A read that misses a write
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { checkLinearizable, History, register, type RegisterInput } from "@metaparticle/mp/testing";
 *
 * const history = new History<RegisterInput, unknown>();
 * history.call("a", { op: "write", value: 1 }).returned(null);
 * history.call("b", { op: "read" }).returned(null);
 * assertEquals(checkLinearizable(register(), history.operations).outcome, "violated");
 * ```
 */
export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: Iterable<Operation<Input, Output>>,
  { partOf, steps = 1_000_000 }: CheckOptions<Input> = {},
): Verdict<State, Input, Output> {
  const parts = Map.groupBy(operations, ({ input }) => partOf?.(input));
  let undecided: Verdict<State, Input, Output> | undefined;
  for (const [part, own] of parts) {
    const found = findOrder(model, own, steps);
    if (found === undefined) continue;
    const { outcome, violation } = found;
    const verdict = { outcome, part, violation, message: explain(violation, part) };
    if (outcome === "violated") return verdict;
    undecided ??= verdict;
  }
  return undecided ?? { outcome: "linearizable" };
}
