/**
 * The model of a counter.
 *
 * @module
 */

import type { Model } from "./model.ts";

/** What a client asks of a counter. */
export type CounterInput =
  | { readonly op: "read" }
  /** Adds a number from 0 on, and returns the sum. */
  | { readonly op: "add"; readonly amount: number };

/**
 * A counter that never goes down.
 *
 * @param initial Where it begins. Default: 0.
 */
export function counter(initial = 0): Model<number, CounterInput, number> {
  return {
    initial,
    apply(state, input) {
      const sum = input.op === "add" ? state + input.amount : state;
      return { state: sum, output: sum };
    },
    isPast: (state, input, output) => output < (input.op === "add" ? state + input.amount : state),
    isRead: ({ op }) => op === "read",
    key: String,
  };
}
