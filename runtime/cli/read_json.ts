/**
 * JSON that is given on a command line, or on stdin.
 *
 * @module
 */

import { findJsonFault } from "./find_json_fault.ts";
import { usage } from "./option.ts";

/** Reads stdin to its end. */
export async function readStdin(): Promise<string> {
  return await new Response(Deno.stdin.readable).text();
}

/**
 * Checks that a text is JSON.
 *
 * @param what What it is given as: `the request`.
 * @throws {MpError} `usage`, naming the place, for what is not JSON.
 */
export function checkJson(given: string, isStdin: boolean, what: string): void {
  const fault = findJsonFault(given);
  if (fault === undefined) return;
  const { line, column, problem } = fault;
  throw usage(`Cannot read ${what}: ${problem}`, {
    where: `${isStdin ? "stdin" : "JSON"}:${line}:${column}`,
    next: isStdin
      ? `Write JSON to it, such as "a text" or {"n": 1}`
      : /^[A-Za-z][\w-]*$/.test(given)
      ? `A text is JSON in double quotes: '"${given}"'`
      : "Give JSON in single quotes, so that the shell leaves it as it is",
  });
}
