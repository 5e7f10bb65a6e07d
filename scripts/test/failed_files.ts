/**
 * Which files a run of `deno test` found wanting. Pure.
 *
 * @module
 */

import { stripAnsiCode } from "@std/fmt/colors";

const TEST = /^.* => (?:\.\/)?(\S+_test\.ts):\d+:\d+$/;
const MODULE = /^(?:\.\/)?(\S+_test\.ts) \(uncaught error\)$/;

/** Reads the list of failures with which `deno test` closes, line by line. */
export class FailedFiles {
  /** Each once, in the order in which they are listed. */
  readonly files = new Set<string>();
  /** What failed, as it is listed. */
  readonly titles: string[] = [];
  #isList = false;

  /** Takes the next line of the output. */
  read(line: string): void {
    const text = stripAnsiCode(line);
    if (text.trim() === "FAILURES") this.#isList = true;
    if (!this.#isList) return;
    const [, file] = TEST.exec(text) ?? MODULE.exec(text) ?? [];
    if (file === undefined) return;
    this.files.add(file);
    this.titles.push(text);
  }
}
