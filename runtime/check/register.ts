/**
 * The model of a register: a value that is read, written, and compared and set.
 *
 * @module
 */

import type { Model } from "./model.ts";

/** What a client asks of a register. */
export type RegisterInput =
  | { readonly op: "read" }
  | { readonly op: "write"; readonly value: unknown }
  /** Writes `value` if the register holds `expected`, and returns whether it did. */
  | { readonly op: "compareAndSet"; readonly expected: unknown; readonly value: unknown };

/** What a client gets: what was read, `null` for a write, or whether it was set. */
export type RegisterOutput = unknown;

/**
 * A register that holds JSON.
 *
 * Give each write a value of its own, so that whoever reads it tells which write it saw.
 *
 * @param initial What it holds at first. Default: `null`.
 */
export function register(initial: unknown = null): Model<unknown, RegisterInput, RegisterOutput> {
  return {
    initial,
    apply(state, input) {
      if (input.op === "read") return { state, output: state };
      if (input.op === "write") return { state: input.value, output: null };
      const isSet = JSON.stringify(state) === JSON.stringify(input.expected);
      return { state: isSet ? input.value : state, output: isSet };
    },
    isRead: ({ op }, output) => op === "read" || (op === "compareAndSet" && output === false),
  };
}
