/**
 * Finds the files that hold tests.
 *
 * @module
 */

import { basename, join, resolve } from "@std/path";
import { MpError } from "../errors.ts";

/** As `deno test` names them: `shop_test.ts`, `shop.test.ts`, `test.ts`. */
const TEST_FILE = /^(?:.*[_.])?test\.[cm]?[jt]s$/;
const SKIPPED = new Set(["node_modules", ".git", ".mp"]);

/**
 * Finds test files.
 *
 * @param paths Files, which are taken whatever their name, and folders, in which they are looked for to any depth.
 * @returns Absolute paths, each once, in the order of their names in each folder.
 * @throws {MpError} `usage` for a path that is not there.
 */
export function findTestFiles(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const absolute = resolve(path);
    let info: Deno.FileInfo;
    try {
      info = Deno.statSync(absolute);
    } catch (cause) {
      throw new MpError("usage", `Cannot test "${path}": there is no such file or folder`, {
        next: `Check the path; the working folder is ${Deno.cwd()}`,
        cause,
      });
    }
    if (info.isFile) found.add(absolute);
    else walk(absolute, found);
  }
  return [...found];
}

function walk(folder: string, found: Set<string>): void {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory, isFile } of entries) {
    const path = join(folder, name);
    if (isDirectory && !SKIPPED.has(name)) walk(path, found);
    else if (isFile && TEST_FILE.test(basename(path))) found.add(path);
  }
}
