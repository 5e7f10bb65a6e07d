/**
 * Reading lines from a connection: all that have arrived are decoded at once.
 *
 * @module
 */

import type { Connection } from "./connection.ts";

const LINE_BREAK = 10;
// a byte order mark inside a body is data
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Options of {@linkcode readLines}. */
export interface ReadLinesOptions {
  /** The longest line, in bytes. */
  readonly maxLine: number;
  /** Makes the error of a line that is longer. */
  readonly tooLong: () => Error;
  /** Called when something has come that ends no line. */
  readonly onPart: () => void;
  /** Called with one or more lines, each with its end, when something has come that ends one. */
  readonly onLines: (text: string) => void;
  /**
   * Called once, at the very moment at which there is nothing more to read.
   *
   * @param error What `onLines` threw, or the connection; absent when the other side has ended it.
   */
  readonly onEnd: (error?: unknown) => void;
}

/** Reads until the connection ends. It does not throw. */
export async function readLines(connection: Connection, options: ReadLinesOptions): Promise<void> {
  const { maxLine, tooLong, onPart, onLines, onEnd } = options;
  const initial = Math.min(64 * 1024, maxLine);
  let buffer = new Uint8Array(initial);
  let filled = 0;
  try {
    for (;;) {
      if (filled === buffer.length) {
        if (filled >= maxLine) throw tooLong();
        const larger = new Uint8Array(Math.min(filled * 2, maxLine));
        larger.set(buffer);
        buffer = larger;
      }
      const count = await connection.read(filled === 0 ? buffer : buffer.subarray(filled));
      if (count === null) break;
      const complete = endOfLines(buffer, filled, filled + count);
      filled += count;
      if (complete === 0) {
        onPart();
        continue;
      }
      onLines(decoder.decode(buffer.subarray(0, complete)));
      if (complete === filled) {
        filled = 0;
        if (buffer.length > 16 * initial) buffer = new Uint8Array(initial);
      } else {
        buffer.copyWithin(0, complete, filled);
        filled -= complete;
      }
    }
    onEnd();
  } catch (error) {
    onEnd(error);
  }
}

/** Where the last line ends that ends between `start` and `end`; 0 when none does. */
function endOfLines(buffer: Uint8Array, start: number, end: number): number {
  // whoever sends lines sends them whole, and a view costs more than a look
  if (buffer[end - 1] === LINE_BREAK) return end;
  const last = buffer.subarray(start, end).lastIndexOf(LINE_BREAK);
  return last < 0 ? 0 : start + last + 1;
}
