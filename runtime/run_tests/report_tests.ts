/**
 * Tests as a person reads them while they run, in the manner of `deno test`.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import type { Palette } from "../cli/palette.ts";
import type { TestCounts } from "./count_tests.ts";
import type { FileOutcome, TestListener, TestOutcome } from "./test_outcome.ts";

/** Options of {@linkcode reportTests}. */
export interface ReportOptions {
  readonly print: (line: string) => void;
  readonly palette: Palette;
  /** How the path of a file is shown. */
  readonly show: (file: string) => string;
}

/** Prints each test as it ends. */
export function reportTests({ print, palette, show }: ReportOptions): TestListener {
  const { green, red, yellow, dim } = palette;
  const marks = { ok: green("ok"), failed: red("FAILED"), ignored: yellow("ignored") };
  return {
    fileBegins(file, tests) {
      print(dim(`running ${tests} test${tests === 1 ? "" : "s"} from ${show(file)}`));
    },
    begins: (name, depth) => print(`${"  ".repeat(depth)}${oneLine(name)} ...`),
    ends({ name, status, took, why }, depth) {
      const because = why === undefined ? "" : ` (${why})`;
      print(
        `${"  ".repeat(depth)}${oneLine(name)} ... ${marks[status]}${because} ${dim(time(took))}`,
      );
    },
    fileEnds(outcome) {
      if ("error" in outcome) print(`Uncaught error from ${show(outcome.file)} ${red("FAILED")}`);
      print("");
    },
  };
}

/** What is told at the end: each error with its stack, the names of what failed, and the numbers. */
export function summarizeTests(
  files: readonly FileOutcome[],
  counts: TestCounts,
  took: number,
  { palette, show }: Omit<ReportOptions, "print">,
): string[] {
  const { green, red, dim, bold } = palette;
  const failures = files.flatMap((file) => failuresOf(file, show));
  const lines: string[] = [];
  if (failures.length > 0) {
    lines.push(bold(red(" ERRORS ")), "");
    for (const { title, text } of failures) lines.push(title, `${red("error")}: ${text}`, "");
    lines.push(bold(red(" FAILURES ")), "", ...failures.map(({ title }) => title), "");
  }
  const steps = (count: number) => count === 0 ? "" : ` (${count} step${count === 1 ? "" : "s"})`;
  const { passed, failed, ignored, filteredOut } = counts;
  lines.push(
    [
      failed === 0 ? green("ok") : red("FAILED"),
      `${passed} passed${steps(counts.passedSteps)}`,
      `${failed} failed${steps(counts.failedSteps)}`,
      ...(ignored > 0 ? [`${ignored} ignored${steps(counts.ignoredSteps)}`] : []),
      ...(filteredOut > 0 ? [`${filteredOut} filtered out`] : []),
    ].join(" | ") + ` ${dim(time(took))}`,
  );
  return lines;
}

interface Failure {
  readonly title: string;
  readonly text: string;
}

function failuresOf(file: FileOutcome, show: (file: string) => string): Failure[] {
  const failures = file.tests.flatMap((test) => failuresIn(test, [], show(file.file)));
  if ("error" in file) {
    failures.push({
      title: `${show(file.file)} (uncaught error)`,
      text:
        `${
          textOf(file.error)
        }\nThis error was not caught from a test: it comes from the top level of the ` +
        "file, from a hook, or from a promise or a timer that nobody waits for",
    });
  }
  return failures;
}

function failuresIn(
  { name, status, error, why, position, steps }: TestOutcome,
  above: readonly string[],
  file: string,
): Failure[] {
  const names = [...above, name];
  const inside = steps.flatMap((step) => failuresIn(step, names, file));
  // a test that failed because of its steps is told by these
  if (status !== "failed" || inside.length > 0) return inside;
  const place = position ? `${file}:${position.line}:${position.column}` : file;
  const title = `${names.map(oneLine).join(" ... ")} => ${place}`;
  return [{ title, text: why ?? textOf(error) }];
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  const cause = error.cause instanceof Error ? `\nCaused by: ${textOf(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}

function oneLine(name: string): string {
  return name.replaceAll("\n", "\\n");
}

function time(milliseconds: number): string {
  return milliseconds < 1000
    ? `(${Math.round(milliseconds)}ms)`
    : `(${Math.round(milliseconds / 1000)}s)`;
}
