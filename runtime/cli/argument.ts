/**
 * Arguments as data: what stands on a command line without a name.
 *
 * @module
 */

import type { Candidates } from "./candidates.ts";

/** One argument. Its name in the help is its key in {@linkcode Arguments}, in upper case. */
export interface Argument<T> {
  readonly required: boolean;
  /** Whether it takes all that is left. */
  readonly repeats: boolean;
  readonly description: string;
  /** What the help calls it, where that is not its key in upper case. */
  readonly shown?: string;
  readonly candidates?: Candidates;
  /** Reads what stands in its place. */
  read(given: readonly string[]): T;
}

/** The arguments of a command, in order. */
// deno-lint-ignore no-explicit-any -- arguments of every type stand side by side
export type Arguments = Readonly<Record<string, Argument<any>>>;

interface ArgumentWords {
  readonly description: string;
  readonly shown?: string;
  readonly candidates?: Candidates;
}

/** An argument that must be there. */
export function required(words: ArgumentWords): Argument<string> {
  return { ...words, required: true, repeats: false, read: (given) => given[0]! };
}

/** An argument that may be left out. */
export function optional(words: ArgumentWords): Argument<string | undefined> {
  return { ...words, required: false, repeats: false, read: (given) => given[0] };
}

/** All arguments that are left. */
export function remaining(
  words: ArgumentWords & { readonly required: boolean },
): Argument<readonly string[]> {
  return { ...words, repeats: true, read: (given) => given };
}

/** How the help writes an argument: `SCRIPT`, `[JSON]`, `[PATH…]`. */
export function shownArgument(key: string, argument: Argument<unknown>): string {
  const name = argument.shown ?? key.toUpperCase();
  const repeated = argument.repeats ? `${name}…` : name;
  return argument.required ? repeated : `[${repeated}]`;
}
