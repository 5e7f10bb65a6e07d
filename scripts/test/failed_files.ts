/**
 * Which files a run of `deno test` found wanting. Pure.
 *
 * @module
 */

const TEST = /^.* => (?:\.\/)?(\S+_test\.ts):\d+:\d+$/;
const MODULE = /^(?:\.\/)?(\S+_test\.ts) \(uncaught error\)$/;
// deno-lint-ignore no-control-regex -- the escape sequences of colours begin with one
const COLOURS = /\x1b\[[0-9;]*m/g;

/** Reads the list of failures with which `deno test` closes, line by line. */
export class FailedFiles {
  /** Each once, in the order in which they are listed. */
  readonly files = new Set<string>();
  /** What failed, as it is listed. */
  readonly titles: string[] = [];
  #isList = false;

  /** Takes the next line of the output. */
  read(line: string): void {
    const text = line.replaceAll(COLOURS, "");
    if (text.trim() === "FAILURES") this.#isList = true;
    if (!this.#isList) return;
    const [, file] = TEST.exec(text) ?? MODULE.exec(text) ?? [];
    if (file === undefined) return;
    this.files.add(file);
    this.titles.push(text);
  }
}
