/**
 * Sorts tests into groups that are run in different ways.
 *
 * @module
 */

import { join, relative, SEPARATOR } from "@std/path";

/** The tests of one run. Paths are from the project's root. */
export interface Groups {
  /** Examples in docs. */
  readonly docs: readonly string[];
  /** Tests that may run side by side. */
  readonly parallel: readonly string[];
  /** Tests that start programs and look at the clock, one file at a time. */
  readonly serial: readonly string[];
}

/** Where tests are kept, and where docs hold examples that are run. */
const ALL = [
  "tests",
  "mod.ts",
  "testing.ts",
  "runtime",
  "patterns",
  "drivers",
  "README.md",
  "docs",
];

const SERIAL = ["tests/e2e/", "tests/examples/", "tests/drivers/"];
const EXAMPLE = /^[ *]*```(?:ts|typescript|js|javascript)[ \t]*$/m;

/**
 * Finds the tests of some files and folders.
 *
 * @param root The project's folder.
 * @param paths Files and folders; none for all of the project's. Those that are not there hold no tests.
 */
export async function findGroups(root: string, paths: readonly string[]): Promise<Groups> {
  const groups = { docs: [] as string[], parallel: [] as string[], serial: [] as string[] };
  const chosen = paths.length > 0 ? paths : ALL.map((path) => join(root, path));
  for (const path of chosen) {
    for await (const file of walk(path)) {
      const name = relative(root, file).replaceAll(SEPARATOR, "/");
      if (name.startsWith("tests/")) {
        if (!name.endsWith("_test.ts")) continue;
        groups[SERIAL.some((folder) => name.startsWith(folder)) ? "serial" : "parallel"].push(name);
      } else if (/\.(ts|md)$/.test(name) && EXAMPLE.test(await Deno.readTextFile(file))) {
        groups.docs.push(name);
      }
    }
  }
  return groups;
}

/** The files in a folder to any depth, in order of their names; a file is its own only one. */
async function* walk(path: string): AsyncGenerator<string> {
  const stat = await Deno.stat(path).catch(() => undefined);
  if (stat?.isFile) yield path;
  if (!stat?.isDirectory) return;
  const names = (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
  for (const name of names) {
    if (name !== "node_modules") yield* walk(join(path, name));
  }
}
