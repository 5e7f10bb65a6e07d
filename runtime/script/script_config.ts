/**
 * What surrounds a script: the nearest Deno configuration, with its import map.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse as parseJsonc } from "@std/jsonc";
import { messageOf, MpError } from "../errors.ts";
import {
  type ImportMap,
  type ImportMapSource,
  mergeImportMaps,
  parseImportMap,
} from "./import_map.ts";

/** What of the configuration decides how a script is bundled. */
export interface ScriptConfig {
  readonly importMap: ImportMap;
  /** Whether decorators are TypeScript's old ones (`compilerOptions.experimentalDecorators`). */
  readonly experimentalDecorators: boolean;
  /** Files that were read or that decide, absolute. */
  readonly files: readonly string[];
  /** Whether what tests leave is an error (`test.sanitizeOps`). */
  readonly sanitizeOps: boolean;
}

interface DenoJson extends ImportMapSource {
  readonly importMap?: unknown;
  readonly workspace?: unknown;
  readonly compilerOptions?: { readonly experimentalDecorators?: unknown };
  readonly test?: { readonly sanitizeOps?: unknown };
}

/**
 * Reads the nearest `deno.json` or `deno.jsonc` from `folder` upwards, with the import map that it
 * names, and the root of its workspace when it has one. A `tsconfig.json` is never read: Deno does not
 * read it either, and one that lies somewhere above by chance would change what a script means.
 *
 * @throws {MpError} `script_invalid` when one of them cannot be read.
 */
export function scriptConfig(folder: string): ScriptConfig {
  const maps: ImportMap[] = [];
  const files: string[] = [];
  let experimentalDecorators: boolean | undefined;
  let sanitizeOps: boolean | undefined;
  let found = false;
  let manifest = false;
  for (let at = folder;; at = dirname(at)) {
    if (!manifest && exists(join(at, "package.json"))) {
      manifest = true; // decides whether a .js file is an ES module
      files.push(join(at, "package.json"));
    }
    const path = ["deno.json", "deno.jsonc"].map((name) => join(at, name)).find(exists);
    if (path !== undefined) {
      const json = readConfig(path) as DenoJson;
      if (!found || json.workspace !== undefined) {
        files.push(path);
        maps.push(...importMapsOf(json, path, files));
        const decorators = json.compilerOptions?.experimentalDecorators;
        experimentalDecorators ??= decorators === undefined ? undefined : Boolean(decorators);
        const sanitizes = json.test?.sanitizeOps;
        sanitizeOps ??= sanitizes === undefined ? undefined : Boolean(sanitizes);
        if (json.workspace !== undefined) break;
        found = true;
      }
    }
    if (dirname(at) === at) break;
  }
  return {
    importMap: mergeImportMaps(maps),
    experimentalDecorators: experimentalDecorators ?? false,
    sanitizeOps: sanitizeOps ?? false,
    files,
  };
}

function importMapsOf(json: DenoJson, path: string, files: string[]): ImportMap[] {
  // as in Deno, a map in the configuration itself goes before one that it names
  if (json.imports !== undefined || json.scopes !== undefined) {
    return [parseImportMap(json, pathToFileURL(path).href)];
  }
  if (json.importMap === undefined) return [];
  if (typeof json.importMap !== "string" || /^https?:/.test(json.importMap)) {
    throw new MpError(
      "script_invalid",
      `Cannot read the import map ${JSON.stringify(json.importMap)}: it is not a local file`,
      { where: path, next: "Keep the import map in a file beside deno.json" },
    );
  }
  const mapPath = join(dirname(path), json.importMap);
  files.push(mapPath);
  return [parseImportMap(readConfig(mapPath) as ImportMapSource, pathToFileURL(mapPath).href)];
}

function readConfig(path: string): object {
  let why: string;
  try {
    const value = parseJsonc(Deno.readTextFileSync(path));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    why = "it is not an object";
  } catch (error) {
    why = error instanceof SyntaxError
      ? messageOf(error)
      : `it cannot be read (${messageOf(error)})`;
  }
  throw new MpError("script_invalid", `Cannot use "${path}": ${why}`, {
    where: path,
    next: "Correct the file, or remove it",
  });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
