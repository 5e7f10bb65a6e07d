/**
 * Runs files of tests, and what failed once more.
 *
 * @module
 */

import { type FilesResult, runFiles } from "./run_files.ts";
import type { RunGroupOptions } from "./run_group.ts";

/** More than that is no accident. */
const MOST_FILES = 4;

/**
 * Runs `deno test`; the files in which a test failed run once more, by themselves. What fails again has
 * failed. What passes then is flaky: it is named, so that it is seen and mended, but does not stop others'
 * work from landing. Deno's own CI does the same with its tests.
 *
 * @param flags Options of `deno test`.
 */
export async function runPatiently(
  flags: readonly string[],
  files: readonly string[],
  options: RunGroupOptions,
): Promise<FilesResult> {
  const first = await runFiles(flags, files, { ...options, again: true });
  const again = first.failedFiles;
  if (again.length === 0 || again.length > MOST_FILES || options.signal.aborted) return first;
  options.print(`Once more, by themselves: ${again.join(", ")}`);
  const alone = flags.filter((flag) => flag !== "--parallel");
  const second = await runFiles(alone, again, options);
  const passed = second.failed === 0
    ? again
    : again.filter((file) => !second.failedFiles.includes(file));
  return {
    passed: first.passed + Math.max(0, first.failed - second.failed),
    failed: second.failed,
    skipped: first.skipped,
    failedFiles: second.failedFiles,
    flaky: [...first.flaky, ...passed],
    complaints: [...first.complaints, ...second.complaints],
  };
}
