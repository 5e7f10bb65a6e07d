/**
 * Errors for people and for programs.
 *
 * @module
 */

import { CODES, messageOf, MpError } from "../errors.ts";
import type { Palette } from "./palette.ts";

/**
 * An error as text:
 *
 * ```text
 * error: Cannot resolve "./leaf.ts": there is no such file
 *   at topology.ts:3:12
 *   → Create it, or correct the import
 * ```
 *
 * @param stack Whether an error that is no {@linkcode MpError} shows where in the program it arose.
 */
export function showError(thrown: unknown, { red, dim, cyan }: Palette, stack: boolean): string {
  const lines = [`${red("error")}: ${messageOf(thrown)}`];
  if (thrown instanceof MpError) {
    const where = thrown.where ?? thrown.replica;
    if (where !== undefined) lines.push(`  ${dim("at")} ${indent(where)}`);
    if (thrown.next !== undefined) lines.push(`  ${cyan("→")} ${indent(thrown.next)}`);
  }
  if (stack) lines.push(...stacksOf(thrown));
  return lines.join("\n");
}

/** The exit status that an error asks for. */
export function exitStatus(thrown: unknown): number {
  return thrown instanceof MpError ? CODES[thrown.code].exit : 1;
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n    ");
}

function* stacksOf(thrown: unknown): Iterable<string> {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    yield error === thrown ? error.stack ?? "" : `caused by: ${error.stack ?? error}`;
  }
}
