/**
 * What `mp` keeps in the folder `.mp` of a person's project: all of it can be made again, by `mp types`.
 *
 * ```text
 * .mp/types/     declaration files, for editors and compilers that know nothing of Deno
 * .mp/package/   what Deno imports where it runs tests: the program itself, bundled
 * ```
 *
 * @module
 */

import { dirname, join } from "node:path";
import { EMBEDDED, type Embedded } from "../embedded.ts";
import { messageOf, MpError } from "../errors.ts";
import { nativeEsbuild } from "../script/native_esbuild.ts";
import { declarations } from "./declarations.ts";
import { packageFiles } from "./package_files.ts";
import { runScript } from "./run_script.ts";

/** Where declaration files are, from the project's folder. */
export const TYPES = ".mp/types";
/** Where the package is. */
export const PACKAGE = ".mp/package";

/** What the public names lead to in the import map of a project's `deno.json`. */
export const PUBLIC_IMPORTS: Readonly<Record<string, string>> = {
  "@metaparticle/mp": `./${PACKAGE}/main/mod.js`,
  "@metaparticle/mp/testing": `./${PACKAGE}/main/testing.js`,
};

/**
 * Writes the declaration files, and the package where the project's `deno.json` leads to it.
 *
 * @param folder The project's folder.
 * @returns The paths of what was written, from there.
 * @throws {MpError} `state_unwritable`.
 */
export async function writeProjectFiles(folder: string): Promise<string[]> {
  try {
    const hasPackage = await leadsToPackage(folder);
    if (hasPackage) await writePackage(join(folder, PACKAGE));
    // a package has them too
    const all = await declarations(hasPackage ? join(folder, PACKAGE, "files") : undefined);
    await Deno.mkdir(join(folder, TYPES), { recursive: true });
    const names = ["mp.d.ts", "deno.d.ts"] as const;
    for (const name of names) await Deno.writeTextFile(join(folder, TYPES, name), all[name]);
    return [...names.map((name) => `${TYPES}/${name}`), ...(hasPackage ? [`${PACKAGE}/`] : [])];
  } catch (error) {
    if (error instanceof MpError) throw error;
    throw new MpError("state_unwritable", `Cannot write in "${folder}": ${messageOf(error)}`, {
      cause: error,
      next: "Use a folder that can be written",
    });
  }
}

async function leadsToPackage(folder: string): Promise<boolean> {
  for (const name of ["deno.json", "deno.jsonc"]) {
    const text = await Deno.readTextFile(join(folder, name)).catch(() => "");
    if (text.includes(`${PACKAGE}/`)) return true;
  }
  return false;
}

/** Writes the program out as a package that Deno can run, beside its place, and moves it there. */
async function writePackage(folder: string): Promise<void> {
  const fresh = `${folder}.${crypto.randomUUID()}`;
  try {
    const files = await packageFiles();
    if (files === undefined) await runScript("scripts/package.ts", fresh);
    else await writeAll(fresh, files);
    // the package finds esbuild in the user's cache
    const { esbuild } = JSON.parse(await Deno.readTextFile(join(fresh, EMBEDDED))) as Embedded;
    const inPackage = join(fresh, esbuild.path);
    const read = () => Deno.readFileSync(inPackage);
    await nativeEsbuild({ embedded: esbuild, ...(files === undefined && { read }) });
    await Deno.remove(inPackage).catch(ignoreMissing);
    await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
    await Deno.rename(fresh, folder);
  } finally {
    await Deno.remove(fresh, { recursive: true }).catch(ignoreMissing);
  }
}

async function writeAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const target = join(folder, path);
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeTextFile(target, text);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
