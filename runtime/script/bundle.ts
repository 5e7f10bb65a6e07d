/**
 * The bundle stage: script → one module in its canonical form, content hash, source map.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import type { BuildFailure, BuildOptions, Metafile, Plugin } from "esbuild";
import { messageOf, MpError } from "../errors.ts";
import { buildError } from "./build_errors.ts";
import { type Esbuild, withBundler } from "./bundler.ts";
import { ENVIRONMENT, HAND_OVER, metaName, wrapCanonical } from "./canonical_wrapper.ts";
import { ENTRY, resolvePlugin } from "./resolve.ts";
import { type ScriptConfig, scriptConfig } from "./script_config.ts";
import { showPath } from "./show_path.ts";

export { stopBundler, warmUpBundler } from "./bundler.ts";

/** A script as one module. */
export interface Bundle {
  /** The module, in its canonical form. The same for the same files, wherever they lie. */
  readonly code: string;
  /** The source map, whose sources are relative to the script's folder. */
  readonly map: string;
  /** SHA-256 of the code, in hexadecimal digits. */
  readonly hash: string;
  /** Every file that decided what the bundle is, absolute. */
  readonly inputs: readonly string[];
  /** The script, absolute. */
  readonly script: string;
  /** Whether the script may make services; one that cannot is a program. */
  readonly mayServe: boolean;
}

const EXTENSIONS = [".ts", ".js", ".mts", ".mjs", ".cts", ".cjs"];

/**
 * Bundles a script.
 *
 * @param script Its path.
 * @returns The bundle, in the canonical form that {@linkcode CanonicalForm} describes.
 * @throws {MpError} `script_not_found`, `script_invalid` or `import_unresolved`, with all that is wrong.
 */
export async function bundleScript(
  script: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Bundle> {
  signal?.throwIfAborted();
  const path = checkScript(script);
  const work = withBundler((esbuild) => bundle(esbuild, path));
  if (!signal) return await work;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => {});
  }
}

/** @returns The script's real path. */
function checkScript(script: string): string {
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
      .find((name) => Deno.statSync(path) && isFile(join(path, name)));
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

async function bundle(esbuild: Esbuild, script: string): Promise<Bundle> {
  const folder = dirname(script);
  const config = scriptConfig(folder);
  let built = await build(esbuild, script, config, []);
  // only few scripts need to have files rewritten, and only those pay for it
  const rewrites = rewritesOf(built, script);
  if (rewrites.length > 0) built = await build(esbuild, script, config, rewrites);
  const metas = rewrites.map(({ meta }) => meta).filter((meta) => meta !== undefined).sort();
  const { code, linesBefore } = wrapCanonical(built.body, metas);
  return {
    code,
    map: mapOf(built.map, linesBefore),
    hash: createHash("sha256").update(code).digest("hex"),
    inputs: [...new Set([...built.files, ...config.files])],
    script,
    mayServe: built.usesApi && /\bservice\b/.test(code),
  };
}

/** esbuild's map, moved down by the lines of the wrapper, without the files that nobody wrote. */
function mapOf(text: string, linesBefore: number): string {
  const map = JSON.parse(text) as { mappings: string; sources: string[] };
  return JSON.stringify({
    ...map,
    sources: map.sources.map((source) => /^(mp|node):|^%3C/.test(source) ? null : source),
    mappings: ";".repeat(linesBefore) + map.mappings,
  });
}

interface Built {
  readonly body: string;
  readonly map: string;
  readonly files: string[];
  readonly usesApi: boolean;
}

async function build(
  esbuild: Esbuild,
  script: string,
  config: ScriptConfig,
  rewrites: readonly Rewrite[],
): Promise<Built> {
  const folder = dirname(script);
  const options: BuildOptions & { metafile: true } = {
    stdin: {
      contents: `import * as script from ${
        JSON.stringify(`./${basename(script)}`)
      };\n${HAND_OVER}(script);\n`,
      resolveDir: folder,
      sourcefile: ENTRY,
      loader: "js",
    },
    absWorkingDir: folder,
    outfile: join(folder, "bundle.js"),
    write: false,
    bundle: true,
    format: "esm",
    platform: "node",
    // what Deno itself would choose
    conditions: ["deno"],
    // decorators are lowered, everything else is left to V8
    target: "esnext",
    supported: { decorators: false },
    charset: "utf8",
    legalComments: "none",
    sourcemap: "external",
    sourcesContent: false,
    // packages behave as if they were not bundled: nothing that they do at their top level is left out
    ignoreAnnotations: true,
    define: metaDefine(`${ENVIRONMENT}.meta`),
    tsconfigRaw: { compilerOptions: { experimentalDecorators: config.experimentalDecorators } },
    logLevel: "silent",
    metafile: true,
    plugins: [
      resolvePlugin({ importMap: config.importMap, folder }),
      ...(rewrites.length > 0 ? [rewritePlugin(esbuild, rewrites)] : []),
    ],
  };
  try {
    const { outputFiles = [], metafile } = await esbuild.build(options);
    const text = (end: string) => outputFiles.find((file) => file.path.endsWith(end))!.text;
    return {
      body: text(".js"),
      map: text(".map"),
      files: filesOf(metafile, folder),
      usesApi: Object.hasOwn(metafile.inputs, "mp:api"),
    };
  } catch (error) {
    const { errors } = error as BuildFailure;
    if (errors === undefined || errors.length === 0) throw error;
    throw buildError(errors, folder, script);
  }
}

/** The real files among esbuild's inputs. */
function filesOf(metafile: Metafile, folder: string): string[] {
  return Object.keys(metafile.inputs)
    .filter((input) => input !== ENTRY && !/^(mp|node|data|\(disabled\)):/.test(input))
    .map((input) => resolve(folder, input));
}

/** A file in which some expressions stand for others than in the rest of the bundle. */
interface Rewrite {
  readonly file: string;
  readonly define: Record<string, string>;
  /** Its path relative to the script's folder, when it has an `import.meta` of its own. */
  readonly meta?: string;
}

function rewritesOf({ body, files }: Built, script: string): Rewrite[] {
  const rewrites: Rewrite[] = [];
  if (body.includes("require.main") && readFileSync(script, "utf8").includes("require.main")) {
    // what a script runs only when it is the main module; other files of the bundle are not
    rewrites.push({ file: script, define: { "require.main": "module" } });
  }
  if (body.includes(`${ENVIRONMENT}.meta`)) {
    for (const file of files.filter((file) => file !== script && asksWhereItIs(file))) {
      const meta = relative(dirname(script), file).replaceAll(sep, "/");
      rewrites.push({ file, define: metaDefine(metaName(meta)), meta });
    }
  }
  return rewrites;
}

function asksWhereItIs(file: string): boolean {
  return /\bimport\s*\.\s*meta\b|\b__(file|dir)name\b/.test(readFileSync(file, "utf8"));
}

function metaDefine(meta: string): Record<string, string> {
  return {
    "import.meta": meta,
    __filename: `${meta}.filename`,
    __dirname: `${meta}.dirname`,
  };
}

function rewritePlugin(esbuild: Esbuild, rewrites: readonly Rewrite[]): Plugin {
  const defines = new Map(rewrites.map(({ file, define }) => [file, define]));
  const escaped = [...defines.keys()].map((file) => file.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return {
    name: "mp-rewrite",
    setup(build) {
      build.onLoad({ filter: new RegExp(`^(${escaped.join("|")})$`) }, async ({ path }) => {
        const { code } = await esbuild.transform(readFileSync(path, "utf8"), {
          loader: /\.[cm]?tsx?$/.test(path) ? "ts" : "js",
          define: defines.get(path),
          sourcefile: path,
          sourcemap: "inline",
          sourcesContent: false,
          charset: "utf8",
        });
        return { contents: code, loader: "js", resolveDir: dirname(path) };
      });
    },
  };
}
