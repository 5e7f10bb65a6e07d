/**
 * Which files a run of `deno test` found wanting. Pure.
 *
 * @module
 */

import { stripAnsiCode } from "@std/fmt/colors";

const FILE = /^running \d+ tests? from (?:\.\/)?(\S+)$/;
// tests that run side by side bear the names of their files; steps are indented
const FAILED = /^(?:(?:\.\/)?(\S+_test\.ts) => )?(?! ).+ \.\.\. FAILED\b/;
const LISTED = /^.* => \S+:\d+:\d+$/;
const MODULE = /^(?:\.\/)?(\S+_test\.ts) \(uncaught error\)$/;

/** Reads the output of `deno test`, line by line. */
export class FailedFiles {
  /** Each once, in the order in which they failed. */
  readonly files = new Set<string>();
  /** What failed, as it is listed at the end. */
  readonly titles: string[] = [];
  #current: string | undefined;
  #isList = false;

  /** Takes the next line of the output. */
  read(line: string): void {
    const text = stripAnsiCode(line);
    if (text.trim() === "FAILURES") this.#isList = true;
    if (this.#isList) return this.#readList(text);
    this.#current = FILE.exec(text)?.[1] ?? this.#current;
    const failed = FAILED.exec(text);
    // the list tells where a test is defined, which need not be the file that is run
    const file = failed?.[1] ?? (failed && this.#current);
    if (file) this.files.add(file);
  }

  #readList(text: string): void {
    const module = MODULE.exec(text)?.[1];
    if (module !== undefined) this.files.add(module);
    if (module !== undefined || LISTED.test(text)) this.titles.push(text);
  }
}
