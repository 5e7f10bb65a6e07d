/**
 * Files of a script that its replicas read, wherever they run.
 *
 * @module
 */

import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { AuthSources } from "../auth/auth_sources.ts";
import { MpError } from "../errors.ts";
import { hash32 } from "../hash.ts";
import type { PlanFile } from "../plan/plan.ts";

/**
 * Checks what a script gives to `mp.files()`.
 *
 * @param around The script's folder, where it is known, and whether its files are there.
 * @returns The absolute path.
 * @throws {TypeError} For what is no path; {MpError} `topology_invalid` for what is not there, or elsewhere.
 */
export function checkFiles(
  path: unknown,
  around?: Pick<AuthSources, "folder" | "eager">,
): string {
  const text = path instanceof URL ? fileURLToPath(path) : path;
  if (typeof text !== "string" || !isAbsolute(text)) {
    throw new TypeError(
      `Cannot take files along: ${
        JSON.stringify(text) ?? String(text)
      } is no absolute path, such as import.meta.dirname + "/data"`,
    );
  }
  const absolute = resolve(text);
  if (around === undefined) return absolute;
  if (isOutside(relative(around.folder, absolute))) {
    throw new MpError(
      "topology_invalid",
      `Cannot take "${absolute}" along: it is not below the folder of the script`,
      { next: "Put it beside the script, or hand it to replicas in another way" },
    );
  }
  if (around.eager && !isThere(absolute)) {
    throw new MpError("topology_invalid", `Cannot take "${absolute}" along: it is not there`, {
      next: "See whether the path is right, and begins with import.meta.dirname",
    });
  }
  return absolute;
}

function isOutside(path: string): boolean {
  return path === "" || path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path);
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Files of a topology as they stand in its plan, in order.
 *
 * @param folder The folder of the script.
 */
export function filesOfPlan(files: Iterable<string>, folder: string): PlanFile[] {
  return Array.from(files, (file) => ({
    path: relative(folder, file).replaceAll(sep, "/"),
    stamp: stampOf(file).toString(16),
  })).sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Changes when a file, or one of a folder, does. */
function stampOf(path: string): number {
  const { isDirectory, size, mtime } = Deno.statSync(path);
  if (!isDirectory) return hash32(`${size} ${mtime?.getTime()}`);
  const names = Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
  return hash32(names.map((name) => `${name} ${stampOf(join(path, name))}`).join("\n"));
}
