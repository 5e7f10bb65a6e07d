/**
 * Keeps together what runs of tests print that go on side by side: one of them at a time has the floor, for a file. Pure
 * but for what it prints.
 *
 * @module
 */

import { stripAnsiCode } from "@std/fmt/colors";
import type { PrintLine } from "./run_group.ts";

const FILE = /^running \d+ tests? from /;

/** One of the runs. */
export interface Speaker {
  /** Prints a line, now or when nobody else is in the midst of a file. */
  readonly print: PrintLine;
  /** Says that no more comes. */
  end(): void;
}

/** Who prints, and who waits. */
export class Floor {
  readonly #print: PrintLine;
  readonly #waiting = new Map<Speaker, string[]>();
  readonly #ended = new Set<Speaker>();
  #holder: Speaker | undefined;

  /** @param print Where lines go. */
  constructor(print: PrintLine) {
    this.#print = print;
  }

  /** Makes one more. */
  speaker(): Speaker {
    const speaker: Speaker = {
      print: (line) => {
        if (this.#holder === speaker && FILE.test(stripAnsiCode(line))) this.#passOn();
        this.#holder ??= speaker;
        if (this.#holder === speaker) return this.#print(line);
        const lines = this.#waiting.get(speaker);
        if (lines) lines.push(line);
        else this.#waiting.set(speaker, [line]);
      },
      end: () => {
        this.#ended.add(speaker);
        if (this.#holder === speaker) this.#passOn();
      },
    };
    return speaker;
  }

  /** To the first that waits and has not ended, which is in the midst of a file. */
  #passOn(): void {
    this.#holder = undefined;
    for (const [speaker, lines] of this.#waiting) {
      this.#waiting.delete(speaker);
      for (const line of lines) this.#print(line);
      if (this.#ended.has(speaker)) continue;
      this.#holder = speaker;
      return;
    }
  }
}
