/**
 * This program as a file that can be started: the executable that runs, even after another was put in its
 * place.
 *
 * A launcher runs for months, and starts replicas as long as it runs. When the executable is replaced
 * meanwhile, they are to be the same build as the launcher and the replicas that run: so the launcher writes
 * out its own program once, and starts that.
 *
 * @module
 */

import { join } from "node:path";
import { MpError, systemReason } from "../errors.ts";
import { cacheFolders, isPrivate, removeOlder } from "../user_folders.ts";

/** A program that is open, which can be read whatever is put in its place. */
export interface OpenProgram {
  /** Where it was when it was started. */
  readonly path: string;
  readonly file: Deno.FsFile;
}

// asked once: after the file is replaced, the system gives another answer
const path = Deno.execPath();
let open: OpenProgram | undefined;
let kept: string | undefined;

const MONTH = 30 * 24 * 3600 * 1000;

/**
 * What to start for another process of this program.
 *
 * @returns The file that runs; where it was replaced, a copy of what it was. Deno, where it runs the source.
 * @throws {MpError} `state_unwritable` when it was replaced and can be kept nowhere.
 */
export function ownProgram(): string {
  // Windows does not replace what runs
  if (!Deno.build.standalone || Deno.build.os === "windows") return path;
  // open as long as this process runs
  open ??= { path, file: Deno.openSync(Deno.build.os === "linux" ? "/proc/self/exe" : path) };
  if (isInPlace(open)) return path;
  // a cleaner of caches may have taken it away
  if (kept !== undefined && isProgram(kept)) return kept;
  return kept = keepProgram(open, cacheFolders("program"));
}

/**
 * What to start for a command that was chosen earlier.
 *
 * @returns {@linkcode ownProgram} where it is this program, and otherwise the command itself.
 * @throws {MpError} As {@linkcode ownProgram}.
 */
export function programToStart(command: string): string {
  return command === path ? ownProgram() : command;
}

/** Whether a program is still where it was when it was started. */
export function isInPlace({ path, file }: OpenProgram): boolean {
  try {
    const [there, own] = [Deno.statSync(path), file.statSync()];
    return there.dev === own.dev && there.ino === own.ino;
  } catch {
    return false;
  }
}

/**
 * Writes a program out, unless that was done before.
 *
 * @param caches The folders to keep it in; the first in which it can be written is used.
 * @returns Where it is.
 * @throws {MpError} `state_unwritable`.
 */
export function keepProgram({ path, file }: OpenProgram, caches: readonly string[]): string {
  const bytes = readWhole(file);
  const digest = digestOf(bytes);
  const problems: string[] = [];
  for (const cache of caches) {
    const folder = join(cache, digest.slice(0, 32));
    const program = join(folder, "mp");
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (![join(cache, ".."), cache, folder].every(isPrivate)) {
        throw new Error("others can write to it");
      }
      if (!isProgram(program) || digestOf(Deno.readFileSync(program)) !== digest) {
        writeInto(folder, program, bytes);
        removeOlder(cache, MONTH);
      }
      return program;
    } catch (error) {
      problems.push(`${folder}: ${systemReason(error)}`);
    }
  }
  throw new MpError(
    "state_unwritable",
    `Cannot start more of the mp that runs: "${path}" was replaced, and no copy can be kept: ${
      problems.join("; ")
    }`,
    { next: "Make room, or delete the app and run it again with the new mp" },
  );
}

/** Writes beside its place first, so that nobody starts a half. */
function writeInto(folder: string, program: string, bytes: Uint8Array): void {
  const fresh = join(folder, `${crypto.randomUUID()}.mp`);
  try {
    Deno.writeFileSync(fresh, bytes, { mode: 0o700, createNew: true });
    Deno.renameSync(fresh, program);
  } catch (error) {
    try {
      Deno.removeSync(fresh);
    } catch {
      // it was not even begun
    }
    throw error;
  }
}

function isProgram(path: string): boolean {
  try {
    const { isFile, mode } = Deno.lstatSync(path);
    return isFile && ((mode ?? 0) & 0o100) !== 0;
  } catch {
    return false;
  }
}

function readWhole(file: Deno.FsFile): Uint8Array {
  const bytes = new Uint8Array(file.statSync().size);
  file.seekSync(0, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const read = file.readSync(bytes.subarray(at));
    if (read === null) throw new Error("the executable ends too early");
    at += read;
  }
  return bytes;
}

function digestOf(bytes: Uint8Array): string {
  // loaded only where it is needed, for it takes some milliseconds
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes).digest("hex");
}
