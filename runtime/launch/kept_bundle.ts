/**
 * Modules that are made once of the source tree, and kept for the processes to come.
 *
 * They lie in a private folder that has the name of what they are made of, are moved there when they are
 * whole, and are looked at before each use.
 *
 * @module
 */

import { dirname, join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { messageOf, MpError } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import { isPrivate } from "../user_folders.ts";

/** A bundle that is kept. */
export interface KeptBundle {
  /** The file that is started or imported; without it there is no bundle. */
  readonly module: string;
  /** Changes whenever the bundle would; see {@linkcode sourceKey}. */
  readonly key: string;
  /** The folders to keep it in; the first that can be written is used. */
  readonly caches: readonly string[];
}

/** Names and digests of the files that are needed. Written last. */
const MANIFEST = "files.json";
/** What was seen of the files when their digests were right. */
const STAMP = "checked.json";
const MONTH = 30 * 24 * 3600 * 1000;

/**
 * Changes whenever what is made of sources would: their names, sizes and times, and the versions.
 *
 * @param root The folder of the source tree.
 * @param sources Files and folders in it, which need not be there.
 */
export async function sourceKey(root: string, sources: readonly string[]): Promise<string> {
  let seen = JSON.stringify([config.version, Deno.version.deno, Deno.build.target, root]);
  // in front of every start, so names are put together by hand: join() takes longer than the look at a file
  const addFile = (path: string) => {
    const { size, mtime } = Deno.statSync(`${root}/${path}`);
    seen += `${path}\0${size}\0${mtime?.getTime()}\n`;
  };
  const addFolder = (path: string) => {
    const entries = [...Deno.readDirSync(`${root}/${path}`)].sort(byName);
    for (const { name, isDirectory } of entries) {
      if (isDirectory) addFolder(`${path}/${name}`);
      else addFile(`${path}/${name}`);
    }
  };
  for (const source of sources) {
    try {
      if (Deno.statSync(`${root}/${source}`).isDirectory) addFolder(source);
      else addFile(source);
    } catch (error) {
      // a lock file need not be there
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return `${config.version}-${(await sha256(seen)).slice(0, 24)}`;
}

function byName(a: Deno.DirEntry, b: Deno.DirEntry): number {
  return a.name < b.name ? -1 : 1;
}

/** The folder of a bundle that was made before, where there is one. */
export async function findBundle(
  { module, key, caches }: KeptBundle,
): Promise<string | undefined> {
  for (const cache of caches) {
    const folder = join(cache, key);
    if (await isWhole(folder, module)) return folder;
  }
}

/**
 * Makes a bundle and keeps it.
 *
 * @param what It is named in errors.
 * @param make Puts the files into a folder.
 * @returns Its folder.
 * @throws {MpError} What `make` throws; `state_unwritable` when it cannot be kept anywhere.
 */
export async function keepBundle(
  what: string,
  bundle: KeptBundle,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const { caches } = bundle;
  const problems: string[] = [];
  for (const cache of caches) {
    try {
      return await makeIn(cache, bundle, make);
    } catch (error) {
      if (error instanceof MpError) throw error;
      problems.push(messageOf(error));
    }
  }
  throw new MpError(
    "state_unwritable",
    `Cannot keep ${what} in ${caches.join(" or ")}: ${problems.join("; ")}`,
    { next: "Set XDG_CACHE_HOME to a folder that can be written" },
  );
}

/** Whether a folder holds all files as they were made. */
async function isWhole(folder: string, module: string): Promise<boolean> {
  try {
    const files = JSON.parse(Deno.readTextFileSync(join(folder, MANIFEST))) as Record<
      string,
      string
    >;
    if (!isPrivate(dirname(folder)) || !Object.hasOwn(files, module)) return false;
    const seen = await fingerprint(folder, Object.keys(files));
    if (readStamp(folder) !== seen) {
      for (const [name, sum] of Object.entries(files)) {
        if (await sha256(Deno.readFileSync(join(folder, name))) !== sum) return false;
      }
      writeStamp(folder, seen);
    }
    touch(folder);
    return true;
  } catch {
    // not made yet, or damaged
    return false;
  }
}

/**
 * Changes whenever one of the files does, and costs a tenth of reading them: nobody can set the time of the
 * last change of an inode.
 */
async function fingerprint(folder: string, names: readonly string[]): Promise<string> {
  let seen = `${Deno.lstatSync(folder).ino}\n`;
  for (const name of names) {
    const { isFile, size, ino, mode, mtime, ctime } = Deno.lstatSync(`${folder}/${name}`);
    seen += `${name}\0${isFile} ${size} ${ino} ${mode} ${mtime?.getTime()} ${ctime?.getTime()}\n`;
  }
  return await sha256(seen);
}

function readStamp(folder: string): string | undefined {
  try {
    return Deno.readTextFileSync(join(folder, STAMP));
  } catch {
    // written at the first use
    return undefined;
  }
}

function writeStamp(folder: string, seen: string): void {
  const fresh = join(folder, `${crypto.randomUUID()}.${STAMP}`);
  try {
    Deno.writeTextFileSync(fresh, seen, { mode: 0o600, createNew: true });
    Deno.renameSync(fresh, join(folder, STAMP));
  } catch {
    // a folder that is read-only now; the content is compared again each time
  }
}

/** Makes it in a folder of its own and moves it to its place, where another may have come first. */
async function makeIn(
  cache: string,
  { key, module }: KeptBundle,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  await Deno.mkdir(cache, { recursive: true, mode: 0o700 });
  if (!isPrivate(cache)) throw new Error(`others can write to ${cache}`);
  const folder = join(cache, key);
  const fresh = await Deno.makeTempDir({ dir: cache, prefix: `${key}.` });
  try {
    await make(fresh);
    const files: Record<string, string> = {};
    for (const { name } of Deno.readDirSync(fresh)) {
      // without its source map, a module only has worse stack traces
      if (!name.endsWith(".map")) files[name] = await sha256(Deno.readFileSync(join(fresh, name)));
    }
    Deno.writeTextFileSync(join(fresh, MANIFEST), JSON.stringify(files));
    if (await move(fresh, folder)) {
      await removeUnused(cache);
      return folder;
    }
    if (!await isWhole(folder, module)) {
      // a damaged one is in the way, and another process may be about to replace it too
      if (await move(folder, `${fresh}.damaged`)) await remove(`${fresh}.damaged`);
      if (await move(fresh, folder)) return folder;
      if (!await isWhole(folder, module)) return fresh;
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
