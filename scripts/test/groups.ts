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
  /** Tests of what only the executable does, one file at a time. */
  readonly executable: readonly string[];
  /** Those of `serial` that run the program, which may be the executable as well. */
  readonly either: readonly string[];
  /** Those of `serial` and `executable` that test drivers, or share the machine's container engine with such tests. */
  readonly drivers: readonly string[];
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

const DRIVERS = "tests/drivers/";
const SERIAL = ["tests/e2e/", "tests/examples/", DRIVERS];
const EXECUTABLE = "tests/executable/";
/** What other tests run, and what fails on purpose. */
const FIXTURES = "tests/fixtures/";
/** Where tests run the program as a person does. */
const EITHER = ["tests/e2e/", "tests/examples/"];
/**
 * Tests of `deno task mp`, of scripts that Deno runs, and of clusters, for which the base needs to be newer than Deno 2.6.
 */
const SOURCE_ONLY = [
  "tests/e2e/task_test.ts",
  "tests/e2e/direct_test.ts",
];
/** What of the tests' own modules runs the program. */
const RUNS_PROGRAM = /from "[./]+\/(?:support\/mp|launched|deployed)\.ts"/;
/** What of them talks to the container engine. */
const USES_ENGINE = /from "[./]+\/(?:support\/engine|with_engine)\.ts"/;
const EXAMPLE = /^[ *]*```(?:ts|typescript|js|javascript)[ \t]*$/m;

/**
 * Finds the tests of some files and folders.
 *
 * @param root The project's folder.
 * @param paths Files and folders; none for all of the project's. Those that are not there hold no tests.
 */
export async function findGroups(root: string, paths: readonly string[]): Promise<Groups> {
  const groups = {
    docs: [] as string[],
    parallel: [] as string[],
    serial: [] as string[],
    executable: [] as string[],
    either: [] as string[],
    drivers: [] as string[],
  };
  const chosen = paths.length > 0 ? paths : ALL.map((path) => join(root, path));
  for (const path of chosen) {
    for await (const file of walk(path)) {
      const name = relative(root, file).replaceAll(SEPARATOR, "/");
      if (name.startsWith("tests/")) {
        if (!name.endsWith("_test.ts") || name.startsWith(FIXTURES)) continue;
        const group = groupOf(name);
        groups[group].push(name);
        if (group === "parallel") continue;
        const text = await Deno.readTextFile(file);
        if (isEither(name, text)) groups.either.push(name);
        if (name.startsWith(DRIVERS) || USES_ENGINE.test(text)) groups.drivers.push(name);
      } else if (/\.(ts|md)$/.test(name) && EXAMPLE.test(await Deno.readTextFile(file))) {
        groups.docs.push(name);
      }
    }
  }
  return groups;
}

function groupOf(name: string): "executable" | "serial" | "parallel" {
  if (name.startsWith(EXECUTABLE)) return "executable";
  return SERIAL.some((folder) => name.startsWith(folder)) ? "serial" : "parallel";
}

function isEither(name: string, text: string): boolean {
  return EITHER.some((folder) => name.startsWith(folder)) && !SOURCE_ONLY.includes(name) &&
    RUNS_PROGRAM.test(text);
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
