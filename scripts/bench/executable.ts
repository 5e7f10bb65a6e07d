/**
 * The executable that rows measure, made once of the source tree.
 *
 * @module
 */

import { EXECUTABLE_VARIABLE, testExecutable } from "../test/executable.ts";
import { ROOT } from "./processes.ts";
import { NotMeasured } from "./row.ts";

let made: Promise<string> | undefined;

/** The path of the executable; `MP_TEST_EXECUTABLE` names another. @throws {NotMeasured} Where no base can be had. */
export function benchExecutable(): Promise<string> {
  const given = Deno.env.get(EXECUTABLE_VARIABLE);
  return given ? Promise.resolve(given) : made ??= make();
}

async function make(): Promise<string> {
  const result = await testExecutable(ROOT, new AbortController().signal);
  if ("absent" in result) throw new NotMeasured(result.absent);
  globalThis.addEventListener("unload", () => Deno.removeSync(result.folder, { recursive: true }));
  return result.file;
}
