/**
 * What goes into the executable: bundled code, and the files beside it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "@std/path";
import { EMBEDDED, type Embedded, type EmbeddedFile } from "../../runtime/embedded.ts";
import { bundleEntries } from "../../runtime/launch/bundle_entries.ts";
import { withBundler } from "../../runtime/script/bundler.ts";
import { esbuildProgram } from "./esbuild_program.ts";
import type { Target } from "./targets.ts";

/** The file that the executable starts with, in the stage. */
export const ENTRY = "executable.js";

/** The two halves, and the folders of the stage in which they are. */
const HALVES = [
  // what scripts and tests import is here too, so that all of it can be written out as a package
  { entries: ["main.ts", "mod.ts", "testing.ts"], folder: "main" },
  { entries: ["replica.ts"], folder: "replica" },
];

/** What Deno is told of the types of modules in a package. */
const TYPES = { "main/mod.js": "mod.d.ts", "main/testing.js": "testing.d.ts" };

/**
 * Bundles the code: only what is reachable, each lazily loaded part in a file of its own.
 *
 * @param root The folder of the source tree.
 * @param stage An empty folder.
 */
export async function stageCode(root: string, stage: string): Promise<void> {
  for (const { entries, folder } of HALVES) {
    await bundleEntries({ root, entries, folder: join(stage, folder), minify: true });
  }
  for (const [module, types] of Object.entries(TYPES)) {
    const path = join(stage, module);
    const code = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, `/* @ts-self-types="../files/${types}" */\n${code}`);
  }
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
          for (const { entries: [entry = ""], folder } of HALVES) {
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
  /** Declaration files, by name. */
  readonly declarations: Readonly<Record<string, string>>;
}

/**
 * Puts the files of one system beside the code, instead of those of the one before.
 *
 * @returns What the executable will say of itself.
 */
export async function stageFiles(options: StageFilesOptions): Promise<Embedded> {
  const { root, stage, target, esbuildVersion, declarations } = options;
  await Deno.remove(join(stage, "files"), { recursive: true }).catch(() => {});
  await Deno.remove(join(stage, EMBEDDED)).catch(() => {});
  await Deno.mkdir(join(stage, "files"));
  const program = await esbuildProgram(root, target, esbuildVersion);
  await Deno.copyFile(program, join(stage, "files/esbuild"));
  const types = Object.fromEntries(
    await Promise.all(
      Object.entries(declarations).map(async ([name, text]) => {
        await Deno.writeTextFile(join(stage, "files", name), text);
        return [name, await describe(stage, `files/${name}`)] as const;
      }),
    ),
  );
  const made: Embedded = {
    digest: await digestOf(stage, [Deno.version.deno, target.name]),
    target: target.name,
    esbuild: { ...await describe(stage, "files/esbuild"), version: esbuildVersion },
    declarations: types,
    package: (await filesOf(stage)).filter((path) => path !== ENTRY && path !== "files/esbuild"),
  };
  await Deno.writeTextFile(join(stage, EMBEDDED), JSON.stringify(made));
  return made;
}

async function describe(stage: string, path: string): Promise<EmbeddedFile> {
  const bytes = await Deno.readFile(join(stage, path));
  return { path, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Names and contents of all files of a folder, and what else decides what the executable is. */
async function digestOf(stage: string, others: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(others));
  for (const path of await filesOf(stage)) {
    const { sha256 } = await describe(stage, path);
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
