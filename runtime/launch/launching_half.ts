/**
 * What `mp` itself runs from source: one module, made once of the source tree and kept, as for replicas.
 *
 * A process that loads it starts in a third of the time that the modules of the source tree take, each of
 * which Deno has to look up, and does without Deno's graph of them, which is half of its memory.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownFolder } from "../own_files.ts";
import { cacheFolders } from "../user_folders.ts";
import { findBundle, type KeptBundle, sourceKey } from "./kept_bundle.ts";

const MODULE = "main.js";
/** What it is made of, in the source tree: all that the serving half is made of, too. */
const SOURCES = [
  ...["deno.json", "deno.lock", "drivers", "main.ts", "mod.ts", "patterns", "replica.ts"],
  ...["runtime", "testing", "testing.ts"],
];

/** Options of {@linkcode launchingHalf}. */
export interface LaunchingHalfOptions {
  /** The folders to keep it in; the first that can be written is used. Default: the user's cache folder, then a temporary one. */
  readonly caches?: readonly string[];
}

/** The path of the module, where it was made of the sources as they are. */
export async function launchingHalf(
  options: LaunchingHalfOptions = {},
): Promise<string | undefined> {
  const folder = await findBundle(await keptLaunchingHalf(options));
  return folder === undefined ? undefined : join(folder, MODULE);
}

/** How it is kept. */
export async function keptLaunchingHalf(
  { caches = cacheFolders("launching-half") }: LaunchingHalfOptions = {},
): Promise<KeptBundle> {
  return { module: MODULE, key: await sourceKey(fileURLToPath(ownFolder), SOURCES), caches };
}
