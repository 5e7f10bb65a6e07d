/**
 * What a replica's process runs: one module, made once of the source tree and kept.
 *
 * A process that loads it starts in about half the time of one that loads the source tree with its
 * packages, and takes half the memory.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MpError } from "../errors.ts";
import { bundledReplica, madeOf, ownFolder } from "../own_files.ts";
import { cacheFolders } from "../user_folders.ts";
import { findBundle, keepBundle, type KeptBundle, sourceKey } from "./kept_bundle.ts";
import { ownProgram } from "./own_program.ts";
import { INSPECT_OPTION, REPLICA_ARGUMENT } from "./replica_arguments.ts";
import type { ReplicaCommand } from "./driver.ts";

/** What replicas run. */
export interface ServingHalf {
  /** The path of the module. */
  readonly entry: string;
  /** The folder that holds it and the parts that it loads when they are needed. */
  readonly folder: string;
}

const ENTRY = "replica.ts";
const MODULE = "replica.js";
/** What the module is made of, in the source tree. */
const SOURCES = ["deno.json", "deno.lock", "drivers", "mod.ts", ENTRY, "patterns", "runtime"];

/** Options of {@linkcode servingHalf}. */
export interface ServingHalfOptions {
  /** The folders to keep it in; the first that can be written is used. Default: the user's cache folder, then a temporary one. */
  readonly caches?: readonly string[];
}

/**
 * The module that replicas run. It is made again only when a source file, Deno or `mp` has changed.
 *
 * @throws {MpError} `launch_failed` when it cannot be made, `state_unwritable` when it cannot be kept anywhere.
 */
export async function servingHalf(options: ServingHalfOptions = {}): Promise<ServingHalf> {
  // a compiled file holds the module, and runs it when it is started with the hidden argument
  if (Deno.build.standalone) return { entry: REPLICA_ARGUMENT, folder: "" };
  if (bundledReplica !== undefined) {
    const entry = fileURLToPath(bundledReplica);
    return { entry, folder: dirname(entry) };
  }
  if (ownFolder.protocol !== "file:") {
    throw new MpError("unsupported", `Cannot launch replicas from ${ownFolder}`, {
      next: "Clone the project, or use its executable",
    });
  }
  const found = await findServingHalf(options);
  if (found !== undefined) return found;
  const root = fileURLToPath(ownFolder);
  const folder = await keepBundle("what replicas run", await keptIn(options), async (folder) => {
    // where it is made already, nothing is needed to make it
    const { bundleEntries } = await import("./bundle_entries.ts");
    await bundleEntries({ root, entries: [ENTRY], folder, minify: true, hideLazy: true });
  });
  return inFolder(folder);
}

/** The module that replicas run, where the source tree's was made before. */
export async function findServingHalf(
  options: ServingHalfOptions = {},
): Promise<ServingHalf | undefined> {
  // the launching half is made of the same sources, and was told where the other lies
  const known = options.caches === undefined ? madeOf?.servingHalf : undefined;
  const folder = known === undefined
    ? await findBundle(await keptIn(options))
    : await findBundle({ module: MODULE, key: basename(known), caches: [dirname(known)] });
  return folder === undefined ? undefined : inFolder(folder);
}

async function keptIn(
  { caches = cacheFolders("serving-half") }: ServingHalfOptions,
): Promise<KeptBundle> {
  return { module: MODULE, key: await sourceKey(fileURLToPath(ownFolder), SOURCES), caches };
}

function inFolder(folder: string): ServingHalf {
  return { entry: join(folder, MODULE), folder };
}

/**
 * How to start a process that runs the serving half.
 *
 * @param entry As {@linkcode servingHalf} gives it.
 * @param inspect Where the inspector is to listen, `127.0.0.1:9229`, if at all.
 * @throws {MpError} `state_unwritable` when this program was replaced and cannot be kept.
 */
export function replicaCommand(
  entry: string,
  { inspect }: { inspect?: string } = {},
): ReplicaCommand {
  const command = ownProgram();
  const inspector = inspect === undefined ? [] : [`${INSPECT_OPTION}${inspect}`];
  if (Deno.build.standalone) return { command, args: [entry, ...inspector] };
  return {
    command,
    args: [
      "run",
      "--quiet",
      "--allow-all",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      "--unstable-net",
      ...inspector,
      entry,
    ],
  };
}
