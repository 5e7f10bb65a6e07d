/**
 * Histories as drawings: one line for each client, time from left to right.
 *
 * @module
 */

import type { Operation } from "../../../runtime/check/history.ts";

/**
 * Reads a drawing: `[read 1]` is an operation from where its bracket opens to where it closes, `[write 2?` one that never
 * returns.
 *
 * @param parse Makes an input, and an output unless it never returns, of a text.
 */
export function drawn<Input, Output>(
  lines: readonly string[],
  parse: (text: string) => readonly [input: Input, output: Output],
): Operation<Input, Output>[] {
  return lines.flatMap((line, client) =>
    Array.from(line.matchAll(/\[([^\]?]*)([\]?])/g), (match) => {
      const [input, output] = parse(match[1]!.trim());
      const called = match.index;
      if (match[2] === "?") return { client, input, called };
      return { client, input, called, returned: { at: called + match[0].length - 1, output } };
    })
  );
}
