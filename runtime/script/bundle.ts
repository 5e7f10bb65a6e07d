/**
 * The bundle stage: script → one module in its canonical form, content hash, source map.
 *
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";
import type { BuildFailure, BuildOptions, Metafile } from "esbuild";
import { buildError } from "./build_errors.ts";
import { type Esbuild, withBundler } from "./bundler.ts";
import { ENVIRONMENT, HAND_OVER, wrapCanonical } from "./canonical_wrapper.ts";
import { checkScript } from "./check_script.ts";
import { metaDefine, type Rewrite, rewritePlugin, rewritesOf } from "./file_rewrites.ts";
import { ENTRY, type ResolveOptions, resolvePlugin } from "./resolve.ts";
import { sha256 } from "../sha256.ts";
import { type ScriptConfig, scriptConfig } from "./script_config.ts";

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
  /** Whether the script may use scopes. */
  readonly mayUseScopes: boolean;
}

/** Options of {@linkcode bundleScript}. */
export interface BundleOptions {
  readonly signal?: AbortSignal;
  /** Modules that whoever evaluates the bundle gives to it, by name. Default: none. */
  readonly modules?: readonly string[];
}

/**
 * Bundles a script.
 *
 * @param script Its path.
 * @returns The bundle, in the canonical form that {@linkcode CanonicalForm} describes.
 * @throws {MpError} `script_not_found`, `script_invalid` or `import_unresolved`, with all that is wrong.
 */
export async function bundleScript(
  script: string,
  { signal, modules = [] }: BundleOptions = {},
): Promise<Bundle> {
  signal?.throwIfAborted();
  const path = checkScript(script);
  const work = withBundler((esbuild) => bundle(esbuild, path, modules));
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

async function bundle(
  esbuild: Esbuild,
  script: string,
  modules: readonly string[],
): Promise<Bundle> {
  const folder = dirname(script);
  const config = scriptConfig(folder);
  const resolving = { importMap: config.importMap, folder, modules };
  let built = await build(esbuild, script, config, { resolving, rewrites: [] });
  // only few scripts need to have files rewritten, and only those pay for it
  const rewrites = rewritesOf(built.body, built.files, script);
  if (rewrites.length > 0) {
    built = await build(esbuild, script, config, { resolving, rewrites });
  }
  const metas = rewrites.map(({ meta }) => meta).filter((meta) => meta !== undefined).sort();
  const { code, linesBefore } = wrapCanonical(built.body, metas);
  return {
    code,
    map: mapOf(built.map, linesBefore),
    hash: await sha256(code),
    inputs: [...new Set([...built.files, ...config.files])],
    script,
    mayServe: built.usesApi && /\bservice\b/.test(code),
    mayUseScopes: built.usesApi && /\b(?:scoped?|setStorage)\b/.test(code),
  };
}

/** esbuild's map, moved down by the lines of the wrapper, without the files that nobody wrote. */
function mapOf(text: string, linesBefore: number): string {
  const map = JSON.parse(text) as { mappings: string; sources: string[] };
  return JSON.stringify({
    ...map,
    sources: map.sources.map((source) => /^(mp|given|node):|^%3C/.test(source) ? null : source),
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
  { resolving, rewrites }: {
    readonly resolving: ResolveOptions;
    readonly rewrites: readonly Rewrite[];
  },
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
      resolvePlugin(resolving),
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
    .filter((input) => input !== ENTRY && !/^(mp|given|node|data|\(disabled\)):/.test(input))
    .map((input) => resolve(folder, input));
}
