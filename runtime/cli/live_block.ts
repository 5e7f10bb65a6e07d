/**
 * Lines at the end of a terminal that are drawn anew in place.
 *
 * @module
 */

import type { Sink } from "./sink.ts";

/** Lines that are drawn anew in place, below everything else. */
export interface LiveBlock {
  /** Draws the lines in place of those before. */
  draw(lines: readonly string[]): void;
  /** Writes text above the lines. */
  above(text: string): void;
  /** Leaves the lines where they are; the next are drawn below. */
  keep(): void;
}

// a line that a terminal breaks would take two rows, and counting them would go wrong
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const CLEAR_BELOW = "\x1b[0J";

/** Makes a block at the end of a terminal. */
export function liveBlock(sink: Sink): LiveBlock {
  let drawn: readonly string[] = [];
  const clear = () => drawn.length > 0 ? `\x1b[${drawn.length}A\r${CLEAR_BELOW}` : "";
  const show = () => drawn.length > 0 ? `${NO_WRAP}${drawn.join("\n")}\n${WRAP}` : "";
  return {
    draw(lines) {
      if (sameText(lines, drawn)) return;
      const before = clear();
      drawn = [...lines];
      sink.write(before + show());
    },
    above(text) {
      sink.write(clear() + text + show());
    },
    keep() {
      drawn = [];
    },
  };
}

function sameText(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}
