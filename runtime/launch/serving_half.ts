/**
 * What a replica's process runs: one module, made once of the source tree and kept.
 *
 * A process that loads it starts in about half the time of one that loads the source tree with its
 * packages, and takes half the memory.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { messageOf, MpError } from "../errors.ts";
import { bundledReplica } from "../own_files.ts";
import { cacheFolders, isPrivate } from "../user_folders.ts";
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
/** Names and digests of the module's files. Written last. */
const MANIFEST = "files.json";
const MONTH = 30 * 24 * 3600 * 1000;

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
  if (!import.meta.url.startsWith("file:")) {
    throw new MpError("unsupported", `Cannot launch replicas from ${import.meta.url}`, {
      next: "Clone the project, or use its executable",
    });
  }
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const key = sourceKey(root, SOURCES);
  const caches = options.caches ?? cacheFolders("serving-half");
  for (const cache of caches) {
    const folder = join(cache, key);
    if (isWhole(folder)) return { entry: join(folder, MODULE), folder };
  }
  const problems: string[] = [];
  for (const cache of caches) {
    const made = await makeIn(cache, key, root).catch((error) => {
      if (error instanceof MpError) throw error;
      problems.push(messageOf(error));
      return undefined;
    });
    if (made) return { entry: join(made, MODULE), folder: made };
  }
  throw new MpError(
    "state_unwritable",
    `Cannot keep what replicas run in ${caches.join(" or ")}: ${problems.join("; ")}`,
    { next: "Set XDG_CACHE_HOME to a folder that can be written" },
  );
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

/**
 * Changes whenever what is made of sources would: their names, sizes and times, and the versions.
 *
 * @param root The folder of the source tree.
 * @param sources Files and folders in it, which need not be there.
 */
export function sourceKey(root: string, sources: readonly string[]): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([config.version, Deno.version.deno, Deno.build.target, root]));
  const add = (path: string) => {
    const info = Deno.statSync(join(root, path));
    if (!info.isDirectory) {
      hash.update(`${path}\0${info.size}\0${info.mtime?.getTime()}\n`);
      return;
    }
    const names = Array.from(Deno.readDirSync(join(root, path)), ({ name }) => name).sort();
    for (const name of names) add(join(path, name));
  };
  for (const source of sources) {
    try {
      add(source);
    } catch (error) {
      // a lock file need not be there
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return `${config.version}-${hash.digest("hex").slice(0, 24)}`;
}

/** Whether a folder holds all files as they were made. */
function isWhole(folder: string): boolean {
  try {
    const files = JSON.parse(Deno.readTextFileSync(join(folder, MANIFEST))) as Record<
      string,
      string
    >;
    if (!isPrivate(dirname(folder)) || !Object.hasOwn(files, MODULE)) return false;
    if (!Object.entries(files).every(([name, sum]) => digestOf(join(folder, name)) === sum)) {
      return false;
    }
    touch(folder);
    return true;
  } catch {
    // not made yet, or damaged
    return false;
  }
}

/** Makes the module in a folder of its own and moves it to its place, where another may have come first. */
async function makeIn(cache: string, key: string, root: string): Promise<string> {
  await Deno.mkdir(cache, { recursive: true, mode: 0o700 });
  if (!isPrivate(cache)) throw new Error(`others can write to ${cache}`);
  const folder = join(cache, key);
  const fresh = await Deno.makeTempDir({ dir: cache, prefix: `${key}.` });
  try {
    // where it is made already, nothing is needed to make it
    const { bundleEntries } = await import("./bundle_entries.ts");
    await bundleEntries({ root, entries: [ENTRY], folder: fresh, minify: true, hideLazy: true });
    const files: Record<string, string> = {};
    for (const { name } of Deno.readDirSync(fresh)) files[name] = digestOf(join(fresh, name));
    Deno.writeTextFileSync(join(fresh, MANIFEST), JSON.stringify(files));
    if (await move(fresh, folder)) {
      await removeUnused(cache);
      return folder;
    }
    if (!isWhole(folder)) {
      // a damaged one is in the way, and another process may be about to replace it too
      if (await move(folder, `${fresh}.damaged`)) await remove(`${fresh}.damaged`);
      if (await move(fresh, folder)) return folder;
      if (!isWhole(folder)) return fresh;
    }
    await remove(fresh);
    return folder;
  } catch (error) {
    await remove(fresh);
    throw error;
  }
}

async function move(from: string, to: string): Promise<boolean> {
  try {
    await Deno.rename(from, to);
    return true;
  } catch {
    return false;
  }
}

async function remove(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
}

/** Removes what no start has asked for in a month, such as earlier states of the source tree. */
async function removeUnused(cache: string): Promise<void> {
  for (const { name } of Deno.readDirSync(cache)) {
    const folder = join(cache, name);
    const { mtime } = Deno.statSync(folder);
    if (mtime && Date.now() - mtime.getTime() > MONTH) await remove(folder);
  }
}

/** Remembers that a folder is still asked for. */
function touch(folder: string): void {
  const now = Date.now();
  const { mtime } = Deno.statSync(folder);
  if (mtime && now - mtime.getTime() > MONTH / 30) Deno.utimeSync(folder, now / 1000, now / 1000);
}

function digestOf(path: string): string {
  return createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
}
