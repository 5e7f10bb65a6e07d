/**
 * Runs files of tests, and what failed once more.
 *
 * @module
 */

import { type FilesResult, runFiles } from "./run_files.ts";
import type { RunGroupOptions } from "./run_group.ts";

/** More than that is no accident. */
const MOST_FILES = 4;

/** What ran. */
export interface PatientResult extends FilesResult {
  /** Files that passed only when they ran by themselves. */
  readonly flaky: readonly string[];
}

/**
 * Runs `deno test`; the files in which a test failed run once more, by themselves. What fails again has
 * failed. What passes then is flaky: it is named, so that it is seen and mended, but does not stop others'
 * work from landing. Deno's own CI does the same with its tests. A file that breaks `deno test` off has failed at once.
 *
 * @param flags Options of `deno test`.
 */
export async function runPatiently(
  flags: readonly string[],
  files: readonly string[],
  options: RunGroupOptions,
): Promise<PatientResult> {
  const first = await runFiles(flags, files, options);
  const again = first.failedFiles;
  if (again.length === 0 || again.length > MOST_FILES || options.signal.aborted) {
    return { ...first, flaky: [] };
  }
  options.print(`Once more, by themselves: ${again.join(", ")}`);
  const alone = flags.filter((flag) => flag !== "--parallel");
  const second = await runFiles(alone, again, options);
  return {
    passed: first.passed + Math.max(0, first.failed - first.broken - second.failed),
    failed: first.broken + second.failed,
    skipped: first.skipped,
    failedFiles: second.failedFiles,
    broken: first.broken + second.broken,
    flaky: second.failed === 0 ? again : again.filter((file) => !second.failedFiles.includes(file)),
    complaints: [...first.complaints, ...second.complaints],
  };
}
