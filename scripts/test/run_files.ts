/**
 * Runs files of tests to the last one, whatever one of them does to `deno test`.
 *
 * @module
 */

import { type GroupResult, runGroup, type RunGroupOptions } from "./run_group.ts";
import { addSummaries, type Summary } from "./summary.ts";

/** What ran. */
export interface FilesResult extends Summary {
  readonly failedFiles: readonly string[];
  /** Files that passed only when they ran by themselves. */
  readonly flaky: readonly string[];
  /** What is to be told again at the very end, a line each. */
  readonly complaints: readonly string[];
}

/**
 * Runs `deno test`. When it breaks off, in a file that hangs or ends the process, it goes on with those that had not begun.
 *
 * @param flags Options of `deno test`.
 * @param again Whether a file that breaks it off is run once more.
 */
export async function runFiles(
  flags: readonly string[],
  files: readonly string[],
  { again = false, ...options }: RunGroupOptions & { readonly again?: boolean },
): Promise<FilesResult> {
  const results: GroupResult[] = [];
  const failed = new Set<string>();
  const flaky = new Set<string>();
  let left = files;
  while (left.length > 0 && !options.signal.aborted) {
    const result = await runGroup([...flags, ...left], options);
    for (const file of result.failedFiles) failed.add(file);
    const { brokenOff } = result;
    if (brokenOff === undefined) {
      results.push(result);
      break;
    }
    const file = brokenOff.at(-1)!;
    const isAgain = again && !flaky.has(file);
    results.push(isAgain ? { ...result, failed: result.failed - 1 } : result);
    if (isAgain) flaky.add(file);
    else {
      flaky.delete(file);
      failed.add(file);
    }
    left = left.filter((name) => !brokenOff.includes(name) || (isAgain && name === file));
  }
  return {
    ...addSummaries(results),
    failedFiles: [...failed],
    flaky: [...flaky].filter((file) => !failed.has(file)),
    complaints: results.flatMap(({ complaints }) => complaints),
  };
}
