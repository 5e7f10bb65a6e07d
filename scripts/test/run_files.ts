/**
 * Runs files of tests to the last one, whatever one of them does to `deno test`.
 *
 * @module
 */

import { type GroupResult, runGroup, type RunGroupOptions } from "./run_group.ts";
import { addSummaries, type Summary } from "./summary.ts";

/** What ran. */
export interface FilesResult extends Summary {
  /** The files in which a test failed. */
  readonly failedFiles: readonly string[];
  /** How many files broke `deno test` off; each counts as a failure. */
  readonly broken: number;
  /** What is to be told again at the very end, a line each. */
  readonly complaints: readonly string[];
}

/**
 * Runs `deno test`. When it breaks off, in a file that hangs or ends the process, it goes on with those that had not begun.
 *
 * @param flags Options of `deno test`.
 */
export async function runFiles(
  flags: readonly string[],
  files: readonly string[],
  options: RunGroupOptions,
): Promise<FilesResult> {
  const results: GroupResult[] = [];
  let broken = 0;
  let left = files;
  while (left.length > 0 && !options.signal.aborted) {
    const result = await runGroup([...flags, ...left], options);
    results.push(result);
    const { brokenOff } = result;
    if (brokenOff === undefined) break;
    broken++;
    left = left.filter((name) => !brokenOff.includes(name));
  }
  return {
    ...addSummaries(results),
    failedFiles: [...new Set(results.flatMap(({ failedFiles }) => failedFiles))],
    broken,
    complaints: results.flatMap(({ complaints }) => complaints),
  };
}
