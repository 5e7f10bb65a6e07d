/**
 * Whether a path leads to a script.
 *
 * @module
 */

import { extname, join, resolve } from "node:path";
import { messageOf, MpError } from "../errors.ts";
import { showPath } from "./show_path.ts";

const EXTENSIONS = [".ts", ".js", ".mts", ".mjs", ".cts", ".cjs"];

/**
 * Makes sure that a path leads to a script that can be read.
 *
 * @returns The script's real path.
 * @throws {MpError} `script_not_found`, or `script_invalid` for a file that cannot be a script.
 */
export function checkScript(script: string): string {
  const path = resolve(script);
  const shown = showPath(path);
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
    if (info.isFile) Deno.openSync(path).close();
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    throw new MpError(
      "script_not_found",
      missing
        ? `Cannot find script "${shown}": there is no such file`
        : `Cannot read script "${shown}": ${messageOf(error)}`,
      {
        cause: error,
        next: missing
          ? `Check the path; the working folder is ${Deno.cwd()}`
          : "Make the file readable",
      },
    );
  }
  if (info.isDirectory) {
    const inside = ["topology.ts", "main.ts", "index.ts", "topology.js", "main.js", "index.js"]
      .find((name) => isFile(join(path, name)));
    throw new MpError("script_not_found", `Cannot read script "${shown}": it is a folder`, {
      next: `Name the script itself${inside ? `, ${join(shown, inside)}` : ""}`,
    });
  }
  if (!info.isFile) {
    throw new MpError("script_not_found", `Cannot read script "${shown}": it is not a file`, {
      next: "Name a file that holds a script",
    });
  }
  if (!EXTENSIONS.includes(extname(path))) {
    throw new MpError(
      "script_invalid",
      `Cannot read script "${shown}": it is neither TypeScript nor JavaScript`,
      { where: shown, next: `Name a file that ends with ${EXTENSIONS.join(", ")}` },
    );
  }
  return Deno.realPathSync(path);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
