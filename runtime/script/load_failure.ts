/**
 * What a script threw at its top level, as a failure that can be sent.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";
import type { LoadFailure } from "./loading.ts";
import { isThrownByRuntime, positionOf, unbundledMessage } from "./stack.ts";

/** How an error reached the top level. */
export type ThrownAs = "thrown" | "rejection" | "error";

const INTRODUCTION: Record<ThrownAs, string> = {
  thrown: "",
  rejection: "a promise was rejected and nobody caught it: ",
  error: "an error was thrown and nobody caught it: ",
};

/**
 * @param script The script, as it is shown to people.
 * @param thrown What was thrown, of whatever type.
 */
export function loadFailure(script: string, thrown: unknown, as: ThrownAs): LoadFailure {
  const position = positionOf(thrown);
  const stack = thrown instanceof Error ? stackOf(thrown) : undefined;
  if (thrown instanceof MpError && (position === undefined || isThrownByRuntime(thrown))) {
    const { code, message, where, next } = thrown;
    return { code, message, position, where, next, stack };
  }
  if (thrown instanceof Error && isThrownByRuntime(thrown)) {
    // wrong arguments of the API
    const next = "Correct the arguments";
    return { code: "topology_invalid", message: thrown.message, position, next, stack };
  }
  return {
    code: "script_failed",
    message: `Cannot load "${script}": ${INTRODUCTION[as]}${describe(thrown)}`,
    position,
    stack,
    next: as === "rejection"
      ? "Await the promise, or catch what it rejects with"
      : "Correct what the script does at its top level",
  };
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `${Deno.inspect(thrown)} was thrown`;
  const message = unbundledMessage(messageOf(thrown));
  const { name } = thrown;
  // that it is an error is said already
  if (name === "Error") return message || "an error without a message";
  return name && message ? `${name}: ${message}` : message || name || "an error without a message";
}

/** The stack of an error and of its causes. */
function stackOf(error: Error): string {
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error && stacks.length < 8; at = at.cause) {
    stacks.push(at.stack ?? String(at));
  }
  return stacks.join("\nCaused by: ");
}
