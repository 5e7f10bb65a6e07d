/**
 * Writes the declaration files of what scripts and tests import into a folder:
 * `deno run -A scripts/declarations.ts FOLDER`.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { makeDeclarations } from "./declarations/make_declarations.ts";

const [folder] = Deno.args;
if (folder === undefined) {
  console.error("Usage: deno run -A scripts/declarations.ts FOLDER");
  Deno.exit(2);
}
const root = fromFileUrl(new URL("../", import.meta.url));
await Deno.mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(await makeDeclarations(root, config.version))) {
  await Deno.writeTextFile(join(folder, name), text);
}
