/**
 * esbuild's native program, which lies inside the executable and has to be written out to be run.
 *
 * It is kept in a private folder that has the name of its content, so that executables of different
 * versions never use each other's, moved into its place when it is whole, and looked at before each use.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { type EmbeddedFile, readEmbedded } from "../embedded.ts";
import { messageOf, MpError, systemReason } from "../errors.ts";
import { cacheFolders, isPrivate, removeOlder } from "../user_folders.ts";

/** Options of {@linkcode nativeEsbuild}. */
export interface NativeEsbuildOptions {
  /** The program in the executable. */
  readonly embedded: EmbeddedFile & { readonly version: string };
  /** Reads it. Default: from this executable. */
  readonly read?: (file: EmbeddedFile) => Uint8Array;
  /** The folders to keep it in; the first in which it can be written and run is used. */
  readonly caches?: readonly string[];
}

/** What is remembered of a file whose content was right: unless it is touched, it still is. */
interface Stamp {
  readonly sha256: string;
  readonly file: string;
}

const WINDOWS = Deno.build.os === "windows";
const PROGRAM = WINDOWS ? "esbuild.exe" : "esbuild";
const STAMP = "checked.json";
/** How often a program is tried that the system holds to be written to still. */
const TRIES = 20;

/**
 * The path of esbuild's native program, written out unless it is there.
 *
 * @throws {MpError} `state_unwritable` when it can be written, or run, in none of the folders.
 */
export async function nativeEsbuild(options: NativeEsbuildOptions): Promise<string> {
  const { embedded, read = readEmbedded, caches = cacheFolders("esbuild") } = options;
  const folders = caches.map((cache) => join(cache, embedded.sha256.slice(0, 32)));
  const whole = folders.find((folder) => isWhole(folder, embedded.sha256));
  if (whole !== undefined) return join(whole, PROGRAM);
  const problems: string[] = [];
  for (const folder of folders) {
    try {
      return await writeOut(folder, read(embedded), embedded);
    } catch (error) {
      if (error instanceof MpError) throw error;
      problems.push(`${folder}: ${systemReason(error)}`);
    }
  }
  throw new MpError(
    "state_unwritable",
    `Cannot write out esbuild, which bundles scripts: ${problems.join("; ")}`,
    { next: "Set XDG_CACHE_HOME to a folder that can be written and from which programs can run" },
  );
}

/** Whether the program in a folder has the content that it should have. */
function isWhole(folder: string, sha256: string): boolean {
  try {
    if (!isOurs(folder)) return false;
    const program = join(folder, PROGRAM);
    const seen = fingerprint(program);
    if (readStamp(folder, sha256) === seen) return true;
    if (digestOf(Deno.readFileSync(program)) !== sha256) return false;
    writeStamp(folder, { sha256, file: seen });
    return true;
  } catch {
    // not written out yet, or not to be read
    return false;
  }
}

/** Whether nobody else can put anything into a folder, or into those of ours that it lies in. */
function isOurs(folder: string): boolean {
  const cache = dirname(folder);
  return [dirname(cache), cache, folder].every(isPrivate);
}

/** Changes whenever the file does; the time of the last change of its inode cannot be set by anybody. */
function fingerprint(path: string): string {
  const { isFile, size, mode, ino, mtime, ctime } = Deno.lstatSync(path);
  if (!isFile || ((mode ?? 0o100) & 0o100) === 0) throw new Error("it is no program");
  return JSON.stringify([size, mode, ino, mtime?.getTime(), ctime?.getTime()]);
}

function readStamp(folder: string, sha256: string): string | undefined {
  try {
    const stamp = JSON.parse(Deno.readTextFileSync(join(folder, STAMP))) as Partial<Stamp>;
    return stamp.sha256 === sha256 ? stamp.file : undefined;
  } catch {
    // written at the first use
    return undefined;
  }
}

function writeStamp(folder: string, stamp: Stamp): void {
  try {
    moveInto(folder, STAMP, new TextEncoder().encode(JSON.stringify(stamp)), 0o600);
  } catch {
    // a folder that is read-only now; the content is compared again each time
  }
}

/** Writes the program beside its place, tries it, and moves it in. */
async function writeOut(
  folder: string,
  bytes: Uint8Array,
  { sha256, version }: NativeEsbuildOptions["embedded"],
): Promise<string> {
  if (digestOf(bytes) !== sha256) {
    throw new MpError("launch_failed", "Cannot use the esbuild in this executable: it is damaged", {
      next: "Get a fresh copy of mp",
    });
  }
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  if (!isOurs(folder)) throw new Error("others can write to it");
  removeRemains(folder);
  const fresh = freshName(folder, PROGRAM);
  try {
    await Deno.writeFile(fresh, bytes, { mode: 0o700, createNew: true });
    await tryOut(fresh, version);
    place(fresh, folder, sha256);
  } finally {
    await Deno.remove(fresh).catch(() => {});
  }
  removeUnused(dirname(folder));
  return join(folder, PROGRAM);
}

/** Moves the program to its place, where another process may have come first and may run it. */
function place(fresh: string, folder: string, sha256: string): void {
  try {
    Deno.renameSync(fresh, join(folder, PROGRAM));
  } catch (error) {
    // Windows does not replace a program that runs
    if (!isWhole(folder, sha256)) throw error;
  }
  isWhole(folder, sha256);
}

/** Runs it once: a folder that can be written may still be one from which nothing can be run. */
async function tryOut(program: string, version: string): Promise<void> {
  for (let tries = TRIES;; tries--) {
    try {
      const { success, stdout } = await new Deno.Command(program, { args: ["--version"] }).output();
      const said = new TextDecoder().decode(stdout).trim();
      if (success && said === version) return;
      throw new Error(`it does not run here${said && `: it says "${said}"`}`);
    } catch (error) {
      // a process that is being started beside this one may hold the file open until it has started
      const isBusy = tries > 0 && /ETXTBSY|text file busy/i.test(messageOf(error));
      if (!isBusy) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function moveInto(folder: string, name: string, bytes: Uint8Array, mode: number): void {
  const fresh = freshName(folder, name);
  Deno.writeFileSync(fresh, bytes, { mode, createNew: true });
  try {
    Deno.renameSync(fresh, join(folder, name));
  } catch (error) {
    Deno.removeSync(fresh);
    throw error;
  }
}

function freshName(folder: string, name: string): string {
  return join(folder, `${crypto.randomUUID()}.${name}`);
}

/** Removes what no executable has written out in a month: the programs of earlier versions. */
function removeUnused(cache: string): void {
  removeOlder(cache, 30 * 24 * HOUR);
}

/** Removes what processes left that were killed while they wrote. */
function removeRemains(folder: string): void {
  removeOlder(folder, HOUR, (name) => name !== PROGRAM && name !== STAMP);
}

const HOUR = 3600 * 1000;

function digestOf(bytes: Uint8Array): string {
  // loaded only where it is needed, for it takes some milliseconds
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes).digest("hex");
}
