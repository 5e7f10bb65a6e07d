/**
 * What goes into the executable: bundled code, and the files beside it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "@std/path";
import { EMBEDDED, type Embedded, type EmbeddedFile } from "../../runtime/embedded.ts";
import { bundleEntry } from "../../runtime/launch/bundle_entry.ts";
import { withBundler } from "../../runtime/script/bundler.ts";
import { esbuildProgram } from "./esbuild_program.ts";
import type { Target } from "./targets.ts";

/** The file that the executable starts with, in the stage. */
export const ENTRY = "executable.js";

/** The halves, and the folders of the stage in which they are. */
const HALVES = [{ entry: "main.ts", folder: "main" }, { entry: "replica.ts", folder: "replica" }];
const KNOWN = { "Deno.build.standalone": "true" };

/**
 * Bundles the code: only what is reachable, each lazily loaded part in a file of its own.
 *
 * @param root The folder of the source tree.
 * @param stage An empty folder.
 */
export async function stageCode(root: string, stage: string): Promise<void> {
  const define = KNOWN;
  for (const { entry, folder } of HALVES) {
    await bundleEntry({ root, entry, folder: join(stage, folder), define, minify: true });
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
  /** The declaration file of the scripting API. */
  readonly declarations: string;
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
  await Deno.writeTextFile(join(stage, "files/mp.d.ts"), declarations);
  const described: Embedded = {
    digest: await digestOf(stage, [Deno.version.deno, target.name]),
    target: target.name,
    esbuild: { ...await describe(stage, "files/esbuild"), version: esbuildVersion },
    declarations: await describe(stage, "files/mp.d.ts"),
  };
  await Deno.writeTextFile(join(stage, EMBEDDED), JSON.stringify(described));
  return described;
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
