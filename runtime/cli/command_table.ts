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
    "run",
    "Launch a topology script, or update its deployment",
    async () => (await import("./run.ts")).run,
  ),
  entry(
    "client",
    "Call a service and print its result",
    async () => (await import("./client.ts")).client,
  ),
  entry("plan", "Show what would run", async () => (await import("./plan.ts")).plan),
  entry(
    "export",
    "Write what runs a script without mp: manifests, a compose file",
    async () => (await import("./export.ts")).exportFiles,
  ),
  entry(
    "test",
    "Run tests of topologies with nothing but this program",
    async () => (await import("./test.ts")).test,
  ),
  entry("ps", "List deployments and their replicas", async () => (await import("./ps.ts")).ps),
  entry("logs", "Show what replicas wrote", async () => (await import("./logs.ts")).logs),
  entry(
    "restart",
    "Restart replicas of a deployment",
    async () => (await import("./restart.ts")).restart,
  ),
  entry(
    "scale",
    "Change how many replicas of a part run",
    async () => (await import("./scale.ts")).scale,
  ),
  entry(
    "delete",
    "Stop a deployment and remove what it left",
    async () => (await import("./delete.ts")).deleteDeployment,
  ),
  entry("scope", "Look at scopes and change them", async () => (await import("./scope.ts")).scope),
  entry("init", "Start a project", async () => (await import("./init.ts")).init),
  entry(
    "types",
    "Write the types of what scripts import",
    async () => (await import("./write_declarations.ts")).writeDeclarations,
  ),
  entry("doctor", "Check that mp can work here", async () => (await import("./doctor.ts")).doctor),
  entry(
    "completions",
    "Print a script that completes commands in a shell",
    async () => (await import("./completions.ts")).completions,
  ),
  entry("version", "Show the version", async () => (await import("./version.ts")).version),
  entry("help", "Show help on a command", async () => (await import("./help.ts")).help),
  {
    ...entry(
      "launch",
      "Launch what stdin orders, and supervise it",
      async () => (await import("./launch.ts")).launch,
    ),
    hidden: true,
  },
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
