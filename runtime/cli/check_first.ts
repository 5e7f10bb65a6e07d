/**
 * `--check`, as commands carry it out.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { flag } from "./option.ts";
import type { Output } from "./output.ts";

/** The option. */
export const checkOptions = {
  check: flag({ description: "Check the types of the script first, by Deno or TypeScript" }),
};

/**
 * Checks the types of a script when that is asked for, and says so where nothing is at hand that can.
 *
 * @throws {MpError} `script_invalid` with what is wrong, `interrupted` when `signal` aborts.
 */
export async function checkFirst(
  script: string,
  { check }: { readonly check: boolean },
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
): Promise<void> {
  if (!check) return;
  const { typeCheck } = await import("../project/type_check.ts");
  const checked = await typeCheck(script, { signal }).catch((error) => {
    if (!signal.aborted) throw error;
    throw new MpError("interrupted", `Cannot check "${script}": it was interrupted`);
  });
  if (checked) return;
  output.say(
    "warning",
    "The types are not checked: there is neither deno nor tsc on the PATH, " +
      "nor TypeScript in a node_modules folder near the script",
  );
}
