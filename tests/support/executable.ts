/**
 * The executable, for the tests of what only it does.
 *
 * @module
 */

import { ABSENT_VARIABLE, EXECUTABLE_VARIABLE } from "../../scripts/test/executable.ts";
import type { Need } from "./needs.ts";

/** The executable that is tested; `deno task test` makes it. */
export function executable(): string {
  const file = Deno.env.get(EXECUTABLE_VARIABLE);
  if (file) return file;
  throw new Error(`Cannot test the executable: ${EXECUTABLE_VARIABLE} names none`);
}

/** An executable; not even CI has one where no base can be had. */
export function needsExecutable(): Need {
  if (Deno.env.get(EXECUTABLE_VARIABLE)) return {};
  const why = Deno.env.get(ABSENT_VARIABLE) ?? `${EXECUTABLE_VARIABLE} names none`;
  return { absent: `no executable: ${why}`, elsewhere: true };
}
