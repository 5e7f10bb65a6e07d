/**
 * What became of tests. Types only.
 *
 * @module
 */

import type { Position } from "../script/stack.ts";

/** What became of a test, or of a step. */
export interface TestOutcome {
  readonly name: string;
  readonly status: "ok" | "failed" | "ignored";
  /** In milliseconds. */
  readonly took: number;
  /** What was thrown. */
  readonly error?: unknown;
  /** Why it failed where nothing was thrown: `due to 1 failed step`. */
  readonly why?: string;
  readonly position: Position | undefined;
  readonly steps: readonly TestOutcome[];
}

/** What became of a file. */
export interface FileOutcome {
  /** Its path, absolute. */
  readonly file: string;
  readonly tests: readonly TestOutcome[];
  /** What was thrown outside of tests: at the top level, by a hook, or where nobody caught it. */
  readonly error?: unknown;
  /** Tests that were not run because of it. */
  readonly cancelled: number;
  readonly filteredOut: number;
  /** Whether a test was defined with `only`. */
  readonly usedOnly: boolean;
}

/** Told of tests while they run. */
export interface TestListener {
  fileBegins(file: string, tests: number): void;
  /** @param depth 0 for tests, 1 for their steps. */
  begins(name: string, depth: number): void;
  ends(outcome: TestOutcome, depth: number): void;
  fileEnds(outcome: FileOutcome): void;
}
