/**
 * Folders of the user's own, in which `mp` keeps what it can make again.
 *
 * @module
 */

import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { MpError, systemReason } from "./errors.ts";

/** A socket's path has room for 104 bytes on macOS and 108 on Linux; the last are for its name. */
const LONGEST_SOCKET_FOLDER = 90;

/** Reads a variable of the environment; an empty one counts as absent. */
export type ReadEnv = (name: string) => string | undefined;

const readEnv: ReadEnv = (name) => Deno.env.get(name) || undefined;

/**
 * Where to keep what can be made again: the first of these folders that can be written.
 *
 * @param name What is kept.
 * @returns The user's cache folder, where one is known, then a temporary one.
 */
export function cacheFolders(name: string, env: ReadEnv = readEnv): string[] {
  const home = env("HOME") ?? env("USERPROFILE");
  const chosen = env("XDG_CACHE_HOME");
  const base = chosen && isAbsolute(chosen)
    ? chosen
    : Deno.build.os === "windows"
    ? env("LOCALAPPDATA")
    : home && join(home, Deno.build.os === "darwin" ? "Library/Caches" : ".cache");
  return [...(base ? [join(base, "mp")] : []), temporary(env)].map((at) => join(at, name));
}

/**
 * A temporary folder that only this user can write to, the same for each process of the user's.
 *
 * @throws {MpError} `state_unwritable` when somebody else has made a folder of that name.
 */
export function privateTemporaryFolder(env: ReadEnv = readEnv): string {
  const folder = temporary(env);
  try {
    Deno.mkdirSync(folder, { mode: 0o700, recursive: true });
    if (isPrivate(folder)) return folder;
  } catch (error) {
    throw new MpError(
      "state_unwritable",
      `Cannot make the folder "${folder}": ${systemReason(error)}`,
      {
        cause: error,
        next: "Set HOME or TMPDIR to a folder that can be written",
      },
    );
  }
  throw new MpError("state_unwritable", `Cannot use the folder "${folder}": others can write it`, {
    next: "Set HOME or TMPDIR to a folder of your own",
  });
}

/**
 * Makes a temporary folder for one use, which only this user can enter.
 *
 * @param prefix What its name begins with.
 * @throws {MpError} `state_unwritable` when there can be none.
 */
export function makeTemporaryFolder(prefix: string): string {
  try {
    return Deno.makeTempDirSync({ prefix });
  } catch (error) {
    throw temporaryUnwritable(error);
  }
}

/**
 * Makes a temporary folder as {@linkcode makeTemporaryFolder} does, for sockets with names of up to 12 bytes:
 * where `TMPDIR` is too long for them, it lies in `/tmp`.
 *
 * @param prefix What its name begins with.
 * @throws {MpError} `state_unwritable` when there can be none.
 */
export function makeSocketFolder(prefix: string): string {
  const folder = makeTemporaryFolder(prefix);
  const { length } = new TextEncoder().encode(folder);
  if (Deno.build.os === "windows" || length <= LONGEST_SOCKET_FOLDER) return folder;
  Deno.removeSync(folder);
  return Deno.makeTempDirSync({ dir: "/tmp", prefix });
}

/**
 * The error of temporary files that cannot be written.
 *
 * @param cause What the system said.
 */
export function temporaryUnwritable(cause: unknown): MpError {
  const folder = readEnv("TMPDIR") ?? tmpdir();
  return new MpError(
    "state_unwritable",
    `Cannot write temporary files in "${folder}": ${systemReason(cause)}`,
    { cause, next: "Make room or give yourself access, or set TMPDIR to another folder" },
  );
}

/** Whether only this user can write to a folder; what is run must not come from somebody else. */
export function isPrivate(folder: string): boolean {
  if (Deno.build.os === "windows") return true;
  const { isDirectory, uid, mode } = Deno.lstatSync(folder);
  return isDirectory && uid === Deno.uid() && ((mode ?? 0) & 0o022) === 0;
}

/**
 * Removes what nobody has changed for a while. What cannot be removed stays.
 *
 * @param age In milliseconds.
 * @param isWanted Whether what has a name may go. Default: everything.
 */
export function removeOlder(folder: string, age: number, isWanted = (_name: string) => true): void {
  for (const { name } of Deno.readDirSync(folder)) {
    if (!isWanted(name)) continue;
    const path = join(folder, name);
    try {
      const { mtime } = Deno.lstatSync(path);
      if (mtime && Date.now() - mtime.getTime() > age) Deno.removeSync(path, { recursive: true });
    } catch {
      // another process is at it
    }
  }
}

function temporary(env: ReadEnv): string {
  return join(env("TMPDIR") ?? tmpdir(), `mp-${Deno.uid() ?? "user"}`);
}
