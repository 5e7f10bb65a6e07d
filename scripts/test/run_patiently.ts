/**
 * Runs one `deno test`, and what failed in it once more.
 *
 * @module
 */

import { FailedFiles } from "./failed_files.ts";
import { runGroup, type RunGroupOptions } from "./run_group.ts";
import type { Summary } from "./summary.ts";

/** More than that is no accident. */
const MOST_FILES = 4;

/** What ran, and which files passed only when they ran by themselves. */
export interface PatientSummary extends Summary {
  readonly flaky: readonly string[];
}

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
): Promise<PatientSummary> {
  const failed = new FailedFiles();
  const first = await runGroup([...flags, ...files], {
    ...options,
    print(line) {
      failed.read(line);
      options.print(line);
    },
  });
  const again = [...failed.files];
  if (first.failed === 0 || again.length === 0 || again.length > MOST_FILES) {
    return { ...first, flaky: [] };
  }
  if (options.signal.aborted) return { ...first, flaky: [] };
  options.print(`Once more, by themselves: ${again.join(", ")}`);
  const alone = flags.filter((flag) => flag !== "--parallel");
  const stillFailed = new FailedFiles();
  const second = await runGroup([...alone, ...again], {
    ...options,
    print(line) {
      stillFailed.read(line);
      options.print(line);
    },
  });
  return {
    passed: first.passed + Math.max(0, first.failed - second.failed),
    failed: second.failed,
    skipped: first.skipped,
    flaky: second.failed === 0 ? again : again.filter((file) => !stillFailed.files.has(file)),
  };
}
