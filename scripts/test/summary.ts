/**
 * How many tests passed: what `deno test` prints at its end.
 *
 * @module
 */

import { stripAnsiCode } from "@std/fmt/colors";

/** Numbers of tests. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Nothing ran. */
export const NOTHING: Summary = { passed: 0, failed: 0, skipped: 0 };

const CLOSING =
  /^(?:ok|FAILED) \| (\d+) passed(?: \(.*?\))? \| (\d+) failed(?: \(.*?\))?(?: \| (\d+) ignored)?/;

/** Reads the closing line of `deno test`; `undefined` for any other line. */
export function parseSummary(line: string): Summary | undefined {
  const found = CLOSING.exec(stripAnsiCode(line));
  if (found === null) return undefined;
  const [passed, failed, skipped] = found.slice(1).map((digits) => Number(digits ?? 0));
  return { passed: passed!, failed: failed!, skipped: skipped! };
}

/** Adds up. */
export function addSummaries(summaries: readonly Summary[]): Summary {
  return summaries.reduce((sum, { passed, failed, skipped }) => ({
    passed: sum.passed + passed,
    failed: sum.failed + failed,
    skipped: sum.skipped + skipped,
  }), NOTHING);
}

/** The plain closing line. */
export function showSummary({ passed, failed, skipped }: Summary): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
