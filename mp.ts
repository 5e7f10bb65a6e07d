/**
 * The program from source, as `deno task mp` starts it.
 *
 * It runs the module that was made of the source tree where there is one, and `main.ts` otherwise. Both are
 * imported by names that Deno cannot see, since it reads and looks up all that it sees at its start.
 *
 * @module
 */

import { launchingHalf } from "./runtime/launch/launching_half.ts";
import { pathToFileURL } from "node:url";

const kept = await launchingHalf();
const program = kept === undefined ? new URL("./main.ts", import.meta.url) : pathToFileURL(kept);
const { main, direct }: Pick<typeof import("./main.ts"), "main" | "direct"> = await import(
  program.href
);

export { direct, main };

if (import.meta.main) Deno.exit(await main(Deno.args));
