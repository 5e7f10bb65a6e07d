/**
 * Writes the program into a folder as a package that Deno can run and import, as the executable holds it:
 * `deno run -A scripts/package.ts FOLDER`.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { stopBundler, warmUpBundler } from "../runtime/script/bundler.ts";
import { stageFiles, stagePackage } from "./compile/stage.ts";
import { TARGETS } from "./compile/targets.ts";
import { makeDeclarations } from "./declarations/make_declarations.ts";

const [folder] = Deno.args;
const target = TARGETS.find(({ name }) => name === Deno.build.target);
if (folder === undefined || target === undefined) {
  console.error(
    folder === undefined
      ? "Usage: deno run -A scripts/package.ts FOLDER"
      : `Cannot make a package: there is none for ${Deno.build.target}`,
  );
  Deno.exit(2);
}
const root = fromFileUrl(new URL("../", import.meta.url));
const declarations = { ...await makeDeclarations(root, config.version) };
const { version: esbuildVersion } = await warmUpBundler();
await Deno.mkdir(folder, { recursive: true });
await stagePackage({ root, folder, declarations });
await stageFiles({ root, stage: folder, target, esbuildVersion });
await stopBundler();
