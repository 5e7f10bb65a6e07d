/**
 * The table of commands, in the order of the help.
 *
 * A command's own file is loaded when it is asked for, so that help costs nothing.
 *
 * @module
 */

import type { CommandEntry, Declaration } from "./command.ts";

// deno-lint-ignore no-explicit-any -- what a command's run() gets is made from its own declaration
type AnyDeclaration = Declaration<any, any>;

/** Every command. */
export const commandTable: readonly CommandEntry[] = [
  entry(
    "client",
    "Call a service and print its result",
    async () => (await import("./client.ts")).client,
  ),
  entry(
    "completions",
    "Print a script that completes commands in a shell",
    async () => (await import("./completions.ts")).completions,
  ),
  entry("version", "Show the version", async () => (await import("./version.ts")).version),
  entry("help", "Show help on a command", async () => (await import("./help.ts")).help),
  {
    ...entry(
      "complete",
      "Print what may follow on a command line",
      async () => (await import("./complete.ts")).complete,
    ),
    hidden: true,
  },
];

function entry(
  name: string,
  summary: string,
  declaration: () => Promise<AnyDeclaration>,
): CommandEntry {
  return { name, summary, load: async () => ({ name, summary, ...await declaration() }) };
}
