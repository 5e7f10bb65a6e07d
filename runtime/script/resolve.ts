/**
 * How a script's imports are resolved: an esbuild plugin.
 *
 * The scripting API and Node's built-in modules become virtual CommonJS modules that ask the
 * environment for them, so that a bundle has no imports. Everything else is resolved by esbuild as Node
 * does it, after the import map has been asked.
 *
 * @module
 */

import { builtinModules } from "node:module";
import { basename, dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { format, parse, parseRange, satisfies } from "@std/semver";
import type { OnResolveArgs, OnResolveResult, PartialMessage, Plugin, PluginBuild } from "esbuild";
import { API_INSIDE, API_SPECIFIER, isApiFile, MAY_BE_API_FILE } from "./api_names.ts";
import type { ResolveDetail } from "./build_errors.ts";
import { ENVIRONMENT } from "./canonical_wrapper.ts";
import { type ImportMap, mapsUrls, resolveImport } from "./import_map.ts";

/** Options of {@linkcode resolvePlugin}. */
export interface ResolveOptions {
  readonly importMap: ImportMap;
  /** The script's folder, where packages are looked for last. */
  readonly folder: string;
  /** Modules that whoever evaluates the bundle gives to it, by name, where nothing else is meant. Default: none. */
  readonly modules?: readonly string[];
}

/** What stands before the name of a module that is given, where the bundle asks for it as if it were built in. */
export const GIVEN = "mp:";

/** A specifier of a registry: the name without the scheme and the version. */
const REGISTRY = /^(?:(?:npm|jsr):\/?)?((?:@[^/@]+\/)?[^/@]+)(?:@[^/]*)?(\/.*)?$/;

/** The name of the virtual file that imports the script. */
export const ENTRY = "<entry>";

const SKIP = Symbol("resolved by esbuild alone");
const BARE_OR_URL = /^[^./]/;

const builtins = new Set(builtinModules.map((name) => name.replace(/^node:/, "")));

/** Names that are built in only with `node:` before them. */
const PREFIX_ONLY = new Set(["sea", "sqlite", "test", "test/reporters"]);

/** Makes the plugin. */
export function resolvePlugin(options: ResolveOptions): Plugin {
  // each call of a plugin costs a message between two processes, so most relative imports are left to esbuild
  const filter = mapsUrls(options.importMap)
    ? /.*/
    : new RegExp(`${BARE_OR_URL.source}|${MAY_BE_API_FILE.source}`);
  return {
    name: "mp-resolve",
    setup(build) {
      const resolver = new Resolver(build, options);
      build.onResolve({ filter }, (args) => resolver.resolve(args));
      build.onLoad({ filter: /.*/, namespace: "given" }, ({ path }) => ({
        contents: `module.exports = ${ENVIRONMENT}.builtin(${JSON.stringify(GIVEN + path)});`,
      }));
      build.onLoad({ filter: /.*/, namespace: "mp" }, () => ({
        contents: `module.exports = ${ENVIRONMENT}.api;`,
      }));
      build.onLoad({ filter: /.*/, namespace: "node" }, ({ path }) => ({
        contents: `module.exports = ${ENVIRONMENT}.builtin(${JSON.stringify(path)});`,
      }));
      build.onLoad({ filter: /\.[jt]sx$/ }, ({ path }) => {
        const next = "Write it without JSX, and name it .ts or .js";
        return failure(`Cannot import "${basename(path)}": scripts have no JSX`, next);
      });
    },
  };
}

class Resolver {
  #build: PluginBuild;
  #options: ResolveOptions;

  constructor(build: PluginBuild, options: ResolveOptions) {
    this.#build = build;
    this.#options = options;
  }

  async resolve(args: OnResolveArgs): Promise<OnResolveResult | undefined> {
    if (args.pluginData === SKIP || args.importer === ENTRY) return undefined;
    const given = this.#given(args);
    // what belongs to this very program cannot be had elsewhere; of anything else the user's own goes first
    if (given?.path.startsWith("@metaparticle/")) return given;
    const resolved = await this.#resolve(args);
    if (given === undefined || (resolved !== undefined && !resolved.errors)) return resolved;
    return resolved === undefined && (await this.#byEsbuild(args.path, args)).errors.length === 0
      ? undefined
      : given;
  }

  /** The module of this name that is given. */
  #given({ path }: OnResolveArgs): (OnResolveResult & { readonly path: string }) | undefined {
    const [, name, inside = ""] = REGISTRY.exec(path) ?? [];
    const found = this.#options.modules?.find((module) => module === `${name}${inside}`);
    return found === undefined ? undefined : { path: found, namespace: "given" };
  }

  async #resolve(args: OnResolveArgs): Promise<OnResolveResult | undefined> {
    const written = args.path;
    if (/^[A-Za-z]:[\\/]/.test(written)) return undefined;
    if (API_SPECIFIER.test(written)) return api();
    const specifier = this.#map(args) ?? written;
    if (API_SPECIFIER.test(specifier)) return api();
    const inside = API_INSIDE.exec(specifier);
    if (inside) {
      const next = inside[1] === "testing"
        ? "Import it from a test file, not from a script"
        : "Import what you need from @metaparticle/mp";
      return unresolved(specifier, "a script can import only @metaparticle/mp itself", next);
    }
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(specifier)?.[1]?.toLowerCase();
    const name = scheme === "node" ? specifier.slice(5) : specifier;
    if (scheme === "node" ? builtins.has(name) : isBareBuiltin(name, scheme)) {
      return { path: name, namespace: "node" };
    }
    switch (scheme) {
      case undefined:
        return await this.#resolveFile(specifier, specifier !== written, args);
      case "file":
        return await this.#resolveFile(fileURLToPath(specifier), true, args);
      case "data":
        return undefined;
      case "npm":
      case "jsr":
        return await this.#resolvePackage(scheme, specifier, args);
      case "node":
        return unresolved(specifier, "Node has no such built-in module", "Correct the name");
      case "http":
      case "https":
        return unresolved(
          specifier,
          "modules are not downloaded",
          "Save the file beside the script, or npm install the package, and import that",
        );
      default:
        return unresolved(specifier, `"${scheme}:" is not known`, "Correct the specifier");
    }
  }

  /** What the import map says; it holds for the script's own files, not for packages. */
  #map(args: OnResolveArgs): string | undefined {
    if (/[\\/]node_modules[\\/]/.test(args.resolveDir)) return undefined;
    const referrer = pathToFileURL(args.importer).href;
    return resolveImport(this.#options.importMap, args.path, referrer);
  }

  /** A relative path, or the name of a package, as Node resolves it. */
  async #resolveFile(
    specifier: string,
    mapped: boolean,
    args: OnResolveArgs,
  ): Promise<OnResolveResult | undefined> {
    if (!mapped && BARE_OR_URL.test(specifier)) return undefined;
    const { path, errors, namespace, suffix } = await this.#byEsbuild(specifier, args);
    // when esbuild does it itself, it knows of try { require(…) } catch
    if (errors.length > 0) return mapped ? unresolvedMapped(specifier, args.path) : undefined;
    return namespace === "file" && isApiFile(path) ? api() : { path, namespace, suffix };
  }

  /** `npm:name@range/inside`, from the nearest node_modules folder. */
  async #resolvePackage(
    scheme: "npm" | "jsr",
    specifier: string,
    args: OnResolveArgs,
  ): Promise<OnResolveResult> {
    const match = /^[a-z]+:\/?((?:@[^/@]+\/)?[^/@]+)(?:@([^/]+))?(\/.*)?$/.exec(specifier);
    if (!match) return unresolved(specifier, "it names no package", "Correct the name");
    const [, name = "", range, inside = ""] = match;
    const names = scheme === "npm"
      ? [name]
      // the names that JSR's packages have in a node_modules folder
      : [name, `@jsr/${name.replace(/^@/, "").replace("/", "__")}`];
    const next = install(scheme === "npm" ? "npm install" : "npx jsr add", name, range);
    for (const candidate of names) {
      for (const resolveDir of [args.resolveDir, this.#options.folder]) {
        const found = await this.#byEsbuild(candidate + inside, { ...args, resolveDir });
        if (found.errors.length > 0) continue;
        const version = range && versionOf(found.path, candidate);
        if (version && !isIn(version, range)) {
          return unresolved(specifier, `node_modules has version ${version}`, next);
        }
        return { path: found.path, namespace: found.namespace, suffix: found.suffix };
      }
    }
    return unresolved(specifier, "it is in no node_modules folder near the script", next);
  }

  #byEsbuild(path: string, { importer, resolveDir, kind, with: attributes }: OnResolveArgs) {
    return this.#build.resolve(path, {
      importer,
      resolveDir,
      kind,
      with: attributes,
      pluginData: SKIP,
    });
  }
}

function isBareBuiltin(name: string, scheme: string | undefined): boolean {
  return scheme === undefined && builtins.has(name) && !PREFIX_ONLY.has(name);
}

function api(): OnResolveResult {
  return { path: "api", namespace: "mp" };
}

function unresolved(specifier: string, why: string, next: string): OnResolveResult {
  return failure(`Cannot resolve "${specifier}": ${why}`, next);
}

function failure(text: string, next: string): { errors: PartialMessage[] } {
  const detail: ResolveDetail = { code: "import_unresolved", next };
  return { errors: [{ text, detail }] };
}

function unresolvedMapped(specifier: string, written: string): OnResolveResult {
  return unresolved(
    written,
    `the import map leads to "${specifier}", which is not there`,
    "Correct the import map, or install the package",
  );
}

/** The version of the package `name` that holds the file. */
function versionOf(path: string, name: string): string | undefined {
  for (let folder = dirname(path); dirname(folder) !== folder; folder = dirname(folder)) {
    try {
      const json = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`));
      if (json.name === name && typeof json.version === "string") return json.version;
    } catch {
      // the next folder above
    }
  }
  return undefined;
}

/** Whether a version is in a range; a range that is none, a tag such as `latest`, holds them all. */
function isIn(version: string, range: string): boolean {
  try {
    const parsed = parse(version);
    return satisfies(parsed, parseRange(range)) || format(parsed) === range;
  } catch {
    return true;
  }
}

/** A command line that installs a package. */
function install(command: string, name: string, range: string | undefined): string {
  const wanted = range ? `${name}@${range}` : name;
  const quoted = /^[\w.@/-]+$/.test(wanted) ? wanted : `"${wanted}"`;
  return `Run ${command} ${quoted} in the script's folder`;
}
