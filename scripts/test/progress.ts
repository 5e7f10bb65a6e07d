/**
 * How far a run of `deno test` has come, one file after the other: for runs that end before they say so
 * themselves. Pure.
 *
 * @module
 */

import { stripAnsiCode } from "@std/fmt/colors";
import { addSummaries, NOTHING, type Summary } from "./summary.ts";

const FILE = /^running \d+ tests? from (?:\.\/)?(\S+)$/;
// steps are indented, and tests that run side by side bear the names of their files
const TEST = /^(?! )(?!.*_test\.ts => )(.+) \.\.\. (ok|FAILED|ignored)\b/;

/** Reads the output of `deno test`, line by line. */
export class Progress {
  /** The files that have begun, in that order; none where they run side by side. */
  readonly files: string[] = [];
  #before = NOTHING;
  #current = NOTHING;
  #last: string | undefined;

  /** Takes the next line of the output. */
  read(line: string): void {
    const text = stripAnsiCode(line);
    const [, file] = FILE.exec(text) ?? [];
    if (file !== undefined) return this.#begin(file);
    const [, name, end] = TEST.exec(text) ?? [];
    if (end === undefined) return;
    this.#last = name;
    const { passed, failed, skipped } = this.#current;
    this.#current = {
      passed: passed + Number(end === "ok"),
      failed: failed + Number(end === "FAILED"),
      skipped: skipped + Number(end === "ignored"),
    };
  }

  /** What all files but the last have come to. */
  get before(): Summary {
    return this.#before;
  }

  /** Where it is, for people. */
  get place(): string {
    const file = this.files.at(-1);
    if (file === undefined) return "before the first test";
    return this.#last === undefined
      ? `at the first test of ${file}`
      : `in ${file}, after "${this.#last}"`;
  }

  #begin(file: string): void {
    this.files.push(file);
    this.#before = addSummaries([this.#before, this.#current]);
    this.#current = NOTHING;
    this.#last = undefined;
  }
}
