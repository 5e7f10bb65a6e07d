/**
 * Outcomes as JUnit's XML, which CI services read. Pure.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import type { FileOutcome, TestOutcome } from "./test_outcome.ts";

/** @param show How the path of a file is shown. */
export function formatJunit(files: readonly FileOutcome[], show: (file: string) => string): string {
  const suites = files.map((file) => suiteOf(file, show(file.file)));
  const sum = (of: (suite: Suite) => number) => suites.reduce((sum, suite) => sum + of(suite), 0);
  const attributes = `tests="${sum(({ tests }) => tests)}" failures="${
    sum(({ failures }) => failures)
  }" errors="0" time="${seconds(sum(({ took }) => took))}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="mp test" ${attributes}>`,
    ...suites.flatMap(({ lines }) => lines),
    "</testsuites>",
    "",
  ].join("\n");
}

interface Suite {
  readonly tests: number;
  readonly failures: number;
  readonly took: number;
  readonly lines: readonly string[];
}

function suiteOf(outcome: FileOutcome, file: string): Suite {
  const cases = outcome.tests.flatMap((test) => casesOf(test, []));
  const took = outcome.tests.reduce((sum, test) => sum + test.took, 0);
  const broken = "error" in outcome ? [{ names: [`${file} (uncaught error)`], outcome }] : [];
  const failures = cases.filter(({ outcome }) => outcome.status === "failed").length +
    broken.length;
  const disabled = cases.filter(({ outcome }) => outcome.status === "ignored").length;
  const tests = cases.length + broken.length;
  return {
    tests,
    failures,
    took,
    lines: [
      `    <testsuite name="${
        escaped(file)
      }" tests="${tests}" disabled="${disabled}" errors="0" failures="${failures}">`,
      ...cases.flatMap(({ names, outcome }) => caseLines(names.join(" > "), file, outcome)),
      ...broken.flatMap(({ names, outcome: { error } }) =>
        caseLines(names[0]!, file, { status: "failed", took: 0, error, position: undefined })
      ),
      "    </testsuite>",
    ],
  };
}

interface Case {
  readonly names: readonly string[];
  readonly outcome: TestOutcome;
}

function casesOf(outcome: TestOutcome, above: readonly string[]): Case[] {
  const names = [...above, outcome.name];
  return [{ names, outcome }, ...outcome.steps.flatMap((step) => casesOf(step, names))];
}

function caseLines(
  name: string,
  file: string,
  { status, took, error, why, position }: Pick<
    TestOutcome,
    "status" | "took" | "error" | "why" | "position"
  >,
): string[] {
  const place = position ? ` line="${position.line}" col="${position.column}"` : "";
  const head = `        <testcase name="${escaped(name)}" classname="${escaped(file)}" time="${
    seconds(took)
  }"${place}>`;
  const message = why ?? messageOf(error);
  const text = why ?? (error instanceof Error ? error.stack ?? error.message : messageOf(error));
  const inside = status === "ignored"
    ? ["            <skipped/>"]
    : status === "failed"
    ? [`            <failure message="${escaped(message)}">${escaped(text)}</failure>`]
    : [];
  return [head, ...inside, "        </testcase>"];
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\n": "&#10;",
};

/** Text as XML may hold it; what it cannot hold at all is left out. */
function escaped(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what XML 1.0 has no way to write
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "")
    .replace(/[&<>"'\n]/g, (letter) => ENTITIES[letter]!);
}
