/**
 * The names under which a script may import the scripting API.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import { parse as parseJsonc } from "@std/jsonc";

/** Specifiers without `npm:`, `jsr:` and a version. The last two are the original project's. */
const NAMES = ["@metaparticle/mp", "mp", "metaparticle", "@metaparticle/storage"];

/** Packages whose main file is the API, or was the original's. */
const PACKAGES = ["@metaparticle/mp", "metaparticle", "@metaparticle/storage"];

/** Matches an import of the API by name, as it is written. */
export const API_SPECIFIER: RegExp = new RegExp(
  `^(?:(?:${NAMES.join("|")})|(?:npm|jsr):/?(?:${PACKAGES.join("|")})(?:@[^/]*)?)/?$`,
);

/** Matches an import of something inside of the API's package, such as `@metaparticle/mp/testing`. */
export const API_INSIDE: RegExp = /^(?:(?:npm|jsr):\/?)?@metaparticle\/mp(?:@[^/]*)?\/(.+)$/;

/** Matches relative specifiers that may lead to a main file of such a package, and few others. */
export const MAY_BE_API_FILE: RegExp = /^(?:\.{1,2}\/?)+$|metaparticle|[\\/]mod\.ts$/;

/**
 * Whether a file is the main file of a package that scripts know as the API: the original's
 * `metaparticle.js` beside its package.json, or this project's `mod.ts` beside its deno.json.
 *
 * @param path An absolute path.
 */
export function isApiFile(path: string): boolean {
  for (let folder = dirname(path);; folder = dirname(folder)) {
    const main = mainFileIn(folder);
    if (main !== undefined) return main === path;
    if (dirname(folder) === folder) return false;
  }
}

/** The main file of the API's package in this folder, `""` for another package, nothing for none. */
function mainFileIn(folder: string): string | undefined {
  const node = readJson(join(folder, "package.json"));
  const deno = readJson(join(folder, "deno.json")) ?? readJson(join(folder, "deno.jsonc"));
  if (node && PACKAGES.includes(String(node.name))) {
    const main = resolve(folder, typeof node.main === "string" ? node.main : "index.js");
    return main.endsWith(".js") ? main : `${main}.js`;
  }
  if (deno && PACKAGES.includes(String(deno.name))) {
    const { exports } = deno as { exports?: string | { ".": string } };
    return resolve(folder, (typeof exports === "string" ? exports : exports?.["."]) ?? "mod.ts");
  }
  return node || deno ? "" : undefined;
}

function readJson(path: string): Record<string, unknown> | undefined {
  try {
    const value = parseJsonc(Deno.readTextFileSync(path));
    return typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    // no such file, or one that does not concern us
    return undefined;
  }
}
