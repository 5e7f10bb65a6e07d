/**
 * How many tests came to what. Pure.
 *
 * @module
 */

import type { FileOutcome, TestOutcome } from "./test_outcome.ts";

/** Numbers of tests, and of their steps. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
  readonly filteredOut: number;
  readonly passedSteps: number;
  readonly failedSteps: number;
  readonly ignoredSteps: number;
}

/** Counts; a file that fails outside of its tests counts as one that failed, with those that were not run. */
export function countTests(files: readonly FileOutcome[]): TestCounts {
  const tests = files.flatMap((file) => file.tests);
  const steps = tests.flatMap(stepsOf);
  const of = (outcomes: readonly TestOutcome[], status: TestOutcome["status"]) =>
    outcomes.filter((outcome) => outcome.status === status).length;
  const broken = files.filter((file) => "error" in file)
    .reduce((sum, { cancelled }) => sum + 1 + cancelled, 0);
  return {
    passed: of(tests, "ok"),
    failed: of(tests, "failed") + broken,
    ignored: of(tests, "ignored"),
    filteredOut: files.reduce((sum, file) => sum + file.filteredOut, 0),
    passedSteps: of(steps, "ok"),
    failedSteps: of(steps, "failed"),
    ignoredSteps: of(steps, "ignored"),
  };
}

function stepsOf({ steps }: TestOutcome): TestOutcome[] {
  return steps.flatMap((step) => [step, ...stepsOf(step)]);
}
