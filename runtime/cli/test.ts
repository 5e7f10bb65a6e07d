/** `mp test`. @module */

import { MpError } from "../errors.ts";
import { countTests } from "../run_tests/count_tests.ts";
import { findTestFiles } from "../run_tests/find_test_files.ts";
import { formatJunit } from "../run_tests/format_junit.ts";
import { readFilter } from "../run_tests/read_filter.ts";
import { reportTests, summarizeTests } from "../run_tests/report_tests.ts";
import { runFile } from "../run_tests/run_file.ts";
import type { FileOutcome } from "../run_tests/test_outcome.ts";
import { stopBundler } from "../script/bundle.ts";
import { showPath } from "../script/show_path.ts";
import { remaining } from "./argument.ts";
import { command } from "./command.ts";
import { flag, text } from "./option.ts";

/** Runs tests with nothing but this program. */
export const test = command({
  description: [
    "Runs files of Deno.test, as deno test does, without Deno: tests and steps, only and ignore, hooks.",
    "In folders, files are taken that are named as in shop_test.ts or shop.test.ts.",
    "Fails, too, when no test ran, and when only was used.",
  ],
  arguments: {
    files: remaining({
      required: false,
      description: "Files and folders; the working folder unless given",
      candidates: "file",
    }),
  },
  options: {
    filter: text({
      value: "TEXT",
      description: "Run the tests alone that have this in their names, or match it as in /^shop/",
    }),
    failFast: flag({ description: "Stop after the first test that fails" }),
    junitPath: text({
      value: "FILE",
      description: "Write the results as JUnit's XML, too",
      candidates: "file",
    }),
  },
  examples: [
    { line: "mp test", does: "All tests of this folder" },
    { line: "mp test shop_test.ts --filter refund", does: "Some tests of one file" },
  ],
  async run({ arguments: { files: paths }, options, output, program, signal }) {
    const { failFast, junitPath } = options;
    const filter = readFilter(options.filter);
    const files = findTestFiles(paths.length > 0 ? paths : ["."]);
    if (files.length === 0) throw noTests(`there is no test file in ${paths.join(", ") || "."}`);
    const show = (file: string) => {
      const shown = showPath(file);
      return shown === file ? file : `./${shown}`;
    };
    const { palette } = output.stdout;
    // at once, for the tests print in between
    const print = (line: string) => output.json ? undefined : console.log(line);
    const listener = reportTests({ print, palette, show });
    const began = performance.now();
    const outcomes: FileOutcome[] = [];
    try {
      const modules = await program.testModules();
      for (const file of files) {
        if (signal.aborted) break;
        outcomes.push(await runFile(file, { modules, filter, failFast, listener, signal }));
        if (failFast && countTests(outcomes).failed > 0) break;
      }
    } finally {
      await stopBundler();
    }
    const counts = countTests(outcomes);
    if (junitPath !== undefined) await writeJunit(junitPath, formatJunit(outcomes, show));
    if (output.json) output.data(counts);
    else {
      const took = performance.now() - began;
      for (const line of summarizeTests(outcomes, counts, took, { palette, show })) print(line);
    }
    if (counts.failed > 0) return 1;
    if (counts.passed + counts.ignored === 0) {
      throw counts.filteredOut > 0
        ? noTests(
          `--filter left out all ${counts.filteredOut}`,
          "Give some of a test's name, or leave --filter out",
        )
        : noTests(`${files.map(show).join(", ")} defines none`);
    }
    if (outcomes.some(({ usedOnly }) => usedOnly)) {
      throw new MpError("script_failed", 'Cannot accept the tests: "only" was used', {
        next: "Remove only, so that all tests run",
      });
    }
    return 0;
  },
});

async function writeJunit(path: string, xml: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, xml);
  } catch (cause) {
    throw new MpError("state_unwritable", `Cannot write the results to "${path}"`, {
      cause,
      next: "Name a file that can be written",
    });
  }
}

function noTests(
  why: string,
  next = "Define tests with Deno.test(name, fn) in files named as in shop_test.ts",
): MpError {
  return new MpError("script_failed", `Cannot accept the tests: no test ran, for ${why}`, { next });
}
