/**
 * The entry of the executable: the program, or a replica when it is started as one.
 *
 * The two halves are bundled apart, so that a replica loads nothing of the launching half.
 *
 * @module
 */

import { INSPECT_OPTION, REPLICA_ARGUMENT } from "../../runtime/launch/replica_arguments.ts";

if (Deno.args[0] === REPLICA_ARGUMENT) {
  const inspect = Deno.args[1]?.startsWith(INSPECT_OPTION) ? Deno.args[1] : undefined;
  takeArguments(inspect === undefined ? 1 : 2);
  if (inspect !== undefined) await openInspector(inspect.slice(INSPECT_OPTION.length));
  await import("../../replica.ts");
} else {
  const { main } = await import("../../main.ts");
  Deno.exit(await main(Deno.args));
}

/** Leaves the script those arguments that are its own. */
function takeArguments(count: number): void {
  const args = Object.freeze(Deno.args.slice(count));
  Object.defineProperty(Deno, "args", { value: args, configurable: true, enumerable: true });
  process.argv.splice(2, count);
}

/** As `deno run --inspect` does; the executable's base has no options. */
async function openInspector(address: string): Promise<void> {
  const inspector = await import("node:inspector");
  const { hostname, port } = new URL(`http://${address}`);
  inspector.open(Number(port), hostname);
}
