/**
 * What goes into the executable: bundled code, and the files beside it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { basename, join } from "@std/path";
import { EMBEDDED, type Embedded, type EmbeddedFile } from "../../runtime/embedded.ts";
import { bundleEntries } from "../../runtime/launch/bundle_entries.ts";
import { withBundler } from "../../runtime/script/bundler.ts";
import { esbuildProgram } from "./esbuild_program.ts";
import type { Target } from "./targets.ts";

/** The file that the executable starts with, in the stage. */
export const ENTRY = "executable.js";

/** The two halves, and the folders of the stage in which they are. */
const HALVES = [
  { entry: "main.ts", folder: "main" },
  { entry: "replica.ts", folder: "replica" },
];

/** The modules of large libraries: one copy is enough for both halves, and nobody reads names in them. */
const LIBRARIES = [
  "drivers/kubernetes/api/http_library",
  "drivers/storage/mysql_library",
  "drivers/storage/redis_library",
];

/** The folder of declaration files in a package, and of what lies beside the code in an executable. */
const FILES = "files";
/** What Deno is told of the types of modules in a package. */
const TYPES = { "main/mod.js": "mod.d.ts", "main/testing.js": "testing.d.ts" };

/** What a package is made of. */
export interface StagePackageOptions {
  /** The folder of the source tree. */
  readonly root: string;
  /** Where it is put; an empty folder. */
  readonly folder: string;
  /** Declaration files, by name. */
  readonly declarations: Readonly<Record<string, string>>;
}

/** Bundles the program, and what scripts and tests import, as a package for Deno. */
export async function stagePackage(
  { root, folder, declarations }: StagePackageOptions,
): Promise<void> {
  const [main, replica] = HALVES.map(({ folder: half }) => join(folder, half));
  const entries = ["main.ts", "mod.ts", "testing.ts"];
  await bundleEntries({ root, entries, folder: main!, minify: true });
  await bundleEntries({ root, entries: ["replica.ts"], folder: replica!, minify: true });
  for (const [module, types] of Object.entries(TYPES)) {
    const path = join(folder, module);
    const code = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, `/* @ts-self-types="../${FILES}/${types}" */\n${code}`);
  }
  await Deno.mkdir(join(folder, FILES));
  for (const [name, text] of Object.entries(declarations)) {
    await Deno.writeTextFile(join(folder, FILES, name), text);
  }
}

/**
 * Bundles the code of the executable: only what is reachable, each lazily loaded part in a file of its own.
 * Deno reads all of it into memory at each start, so every megabyte costs a replica a millisecond and itself.
 *
 * @param root The folder of the source tree.
 * @param stage An empty folder.
 */
export async function stageCode(root: string, stage: string): Promise<void> {
  const apart = new Map(
    LIBRARIES.map((path) => [`${path}.ts`, `../libraries/${path.replace("drivers/", "")}.js`]),
  );
  for (const { entry, folder } of HALVES) {
    await bundleEntries({
      root,
      entries: [entry],
      folder: join(stage, folder),
      minify: true,
      apart,
    });
  }
  await bundleEntries({
    root,
    entries: [...apart.keys()],
    folder: join(stage, "libraries"),
    minify: "names",
  });
  await withBundler((esbuild) =>
    esbuild.build({
      entryPoints: [join(root, "scripts/compile/executable.ts")],
      outfile: join(stage, ENTRY),
      bundle: true,
      format: "esm",
      platform: "node",
      target: "esnext",
      tsconfigRaw: {},
      logLevel: "silent",
      plugins: [{
        name: "mp-halves",
        setup(build) {
          for (const { entry, folder } of HALVES) {
            const filter = new RegExp(`^\\.\\./\\.\\./${entry.replace(".", "\\.")}$`);
            const path = `./${folder}/${entry.replace(/\.ts$/, ".js")}`;
            build.onResolve({ filter }, () => ({ path, external: true }));
          }
        },
      }],
    })
  );
}

/** What the executable of one system has besides the code. */
export interface StageFilesOptions {
  readonly root: string;
  readonly stage: string;
  readonly target: Target;
  /** The version of esbuild that the code has. */
  readonly esbuildVersion: string;
  /** The folder of a package; an executable holds it, a package does not. */
  readonly packageFolder?: string;
}

/** What was put beside the code. */
export interface StagedFiles {
  readonly embedded: Embedded;
  /** The files that are to lie before what Deno compiles, one after the other. */
  readonly before: readonly string[];
}

/** Puts the files of one system beside the code, instead of those of the one before. */
export async function stageFiles(options: StageFilesOptions): Promise<StagedFiles> {
  const { root, stage, target, esbuildVersion, packageFolder } = options;
  // what Deno compiles is read whole at each start; only an ELF file can have more beside it
  const apart = packageFolder !== undefined && target.isElf;
  const folder = apart ? `${stage}-before` : join(stage, FILES);
  const names = [join(folder, "esbuild"), join(folder, "package.json.gz")] as const;
  const earlier = [`${stage}-before`, join(stage, EMBEDDED)];
  if (packageFolder !== undefined) earlier.push(join(stage, FILES));
  for (const path of earlier) await Deno.remove(path, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  await Deno.copyFile(await esbuildProgram(root, target, esbuildVersion), names[0]);
  const own = packageFolder === undefined ? [] : [names[1]];
  if (packageFolder !== undefined) await Deno.writeFile(names[1], await pack(packageFolder));
  const files = await Promise.all([names[0], ...own].map((path) => describe(path)));
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const [program, inside] = files.map((file, i) => ({
    ...file,
    path: `${FILES}/${basename(file.path)}`,
    ...(apart && { before: total - files.slice(0, i).reduce((sum, { size }) => sum + size, 0) }),
  }));
  const embedded: Embedded = {
    digest: await digestOf(stage, [Deno.version.deno, target.name, ...files.map((f) => f.sha256)]),
    target: target.name,
    esbuild: { ...program!, version: esbuildVersion },
    package: inside,
  };
  await Deno.writeTextFile(join(stage, EMBEDDED), JSON.stringify(embedded));
  return { embedded, before: apart ? names : [] };
}

/** All files of a folder as one; the same for the same files. */
async function pack(folder: string): Promise<Uint8Array> {
  const paths = await filesOf(folder);
  const texts = paths.map(async (path) =>
    [path, await Deno.readTextFile(join(folder, path))] as const
  );
  return gzipSync(JSON.stringify(Object.fromEntries(await Promise.all(texts))), { level: 9 });
}

async function describe(path: string): Promise<EmbeddedFile> {
  const bytes = await Deno.readFile(path);
  return { path, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Names and contents of all files of a folder, and what else decides what the executable is. */
async function digestOf(stage: string, others: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(others));
  for (const path of await filesOf(stage)) {
    const { sha256 } = await describe(join(stage, path));
    hash.update(`${path}\0${sha256}\n`);
  }
  return hash.digest("hex");
}

async function filesOf(root: string, folder = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    paths.push(...isDirectory ? await filesOf(root, path) : [path]);
  }
  return paths.sort();
}
