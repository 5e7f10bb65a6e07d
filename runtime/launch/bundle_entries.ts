/**
 * Makes modules that need nothing else out of entries of the source tree and the npm packages that it
 * imports: the serving half, and all that the executable holds.
 *
 * @module
 */

import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { builtinModules } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { MpError } from "../errors.ts";
import { withBundler } from "../script/bundler.ts";
import { type ImportMap, parseImportMap, resolveImport } from "../script/import_map.ts";

/** A package in Deno's cache, as `deno info --json` describes it. */
interface NpmPackage {
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly localPath?: string;
}

/** What is used of `deno info --json`. */
interface Graph {
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
  readonly modules: readonly { readonly specifier: string; readonly npmPackage?: string }[];
}

const builtins = new Set(builtinModules.map((name) => name.replace(/^node:/, "")));
const SKIP = Symbol("resolved by esbuild alone");
/** The folders in which links to the source tree and to packages are made. */
const [SOURCES, PACKAGES] = ["mp", "npm"];

/** How entries are bundled. */
export interface BundleEntriesOptions {
  /** The folder of the source tree. */
  readonly root: string;
  /** The paths of the entries in it; what several load is there once. */
  readonly entries: readonly string[];
  /** Where the files go. */
  readonly folder: string;
  /** Whether to leave out what only people read. Names stay, for stack traces, unless it says "names". */
  readonly minify?: boolean | "names";
  /** Modules that are bundled apart, by their paths in the tree: where they lie, as seen from the folder. */
  readonly apart?: ReadonlyMap<string, string>;
  /**
   * Whether to hide lazy imports from Deno, which reads and parses at its start whatever it can see that a module
   * imports, be it ever asked for or not. Not for `deno compile`, which has to see it.
   */
  readonly hideLazy?: boolean;
  /** Free names in the code, and what they stand for. */
  readonly define?: Readonly<Record<string, unknown>>;
  /**
   * Whether stack traces are to show the source tree. Each statement has a line of its own then, since what is
   * hidden moves what follows it in a line.
   */
  readonly sourceMaps?: boolean;
}

/**
 * Bundles entries, in parts: what is imported lazily stays in files of its own, which are loaded when it
 * is asked for.
 *
 * @throws {MpError} `launch_failed` when a package cannot be had, or the sources cannot be bundled.
 */
export async function bundleEntries(
  options: BundleEntriesOptions,
): Promise<void> {
  const { root, entries, folder, minify = false, hideLazy = false, sourceMaps = false } = options;
  const { apart = new Map<string, string>(), define = {} } = options;
  const graph = await readGraph(root, entries);
  const config = join(root, "deno.json");
  const importMap = parseImportMap(
    JSON.parse(await Deno.readTextFile(config)),
    pathToFileURL(config).href,
  );
  // sources and packages are reached through links, so that the result is the same wherever they lie
  const links = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-bundle-" }));
  try {
    await Deno.symlink(resolve(root), join(links, SOURCES), { type: "junction" });
    const { outputFiles } = await withBundler((esbuild) =>
      esbuild.build({
        absWorkingDir: links,
        preserveSymlinks: true,
        entryPoints: entries.map((entry) => join(links, SOURCES, entry)),
        outdir: folder,
        write: false,
        bundle: true,
        splitting: true,
        format: "esm",
        platform: "node",
        conditions: ["deno"],
        target: "esnext",
        charset: "utf8",
        legalComments: "none",
        tsconfigRaw: {},
        // packages that are CommonJS ask where they lie; free names only, so nobody's own are touched
        define: {
          __dirname: "import.meta.dirname",
          __filename: "import.meta.filename",
          ...Object.fromEntries(
            Object.entries(define).map(([name, value]) => [name, JSON.stringify(value)]),
          ),
        },
        sourcemap: sourceMaps && "linked",
        sourcesContent: false,
        minifySyntax: minify !== false,
        minifyWhitespace: minify !== false && !sourceMaps,
        minifyIdentifiers: minify === "names",
        keepNames: minify === "names",
        logLevel: "silent",
        plugins: [apartPlugin(apart, links), packagesPlugin({ graph, importMap, links, root })],
      })
    );
    for (const { path, text } of outputFiles) {
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(
        path,
        path.endsWith(".map")
          ? withSources(text, { path, links, root })
          : hideLazy
          ? withHiddenImports(text)
          : text,
      );
    }
  } catch (error) {
    throw new MpError("launch_failed", `Cannot bundle ${entries.join()}: ${error}`, {
      cause: error,
      next: "Get a clean copy of the source tree",
    });
  } finally {
    await Deno.remove(links, { recursive: true });
  }
}

/** A source map that leads to the source tree, not to the link to it. */
function withSources(
  map: string,
  { path, links, root }: { path: string; links: string; root: string },
): string {
  const { sources, ...rest } = JSON.parse(map) as { sources: readonly string[] };
  const tree = join(links, SOURCES);
  return JSON.stringify({
    ...rest,
    sources: sources.map((source) => {
      const from = relative(tree, resolve(dirname(path), source));
      return from.startsWith("..") ? source : pathToFileURL(join(root, from)).href;
    }),
  });
}

/** Lazy imports of other parts, as esbuild writes them, in a form that is looked at only when they are carried out. */
function withHiddenImports(code: string): string {
  return code.replaceAll(/\bimport\(("\.\/[\w.-]+-[0-9A-Z]{8}\.js")\)/g, "import((0, $1))");
}

/** Where Deno keeps the packages of the entries; it downloads those that it does not have yet. */
async function readGraph(root: string, entries: readonly string[]): Promise<Graph> {
  const graphs = await Promise.all(entries.map((entry) => readGraphOf(root, entry)));
  return {
    npmPackages: Object.assign({}, ...graphs.map(({ npmPackages }) => npmPackages)),
    modules: graphs.flatMap(({ modules }) => modules),
  };
}

async function readGraphOf(root: string, entry: string): Promise<Graph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--quiet", "--json", join(root, entry)],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (success) return JSON.parse(decoder.decode(stdout)) as Graph;
  throw new MpError(
    "launch_failed",
    `Cannot get the packages that ${entry} uses: ${decoder.decode(stderr).trim()}`,
    { next: "Run it once with a network, for the packages to be downloaded" },
  );
}

interface ResolverOptions {
  readonly graph: Graph;
  readonly importMap: ImportMap;
  /** The folder of the links. */
  readonly links: string;
  readonly root: string;
}

function apartPlugin(apart: ReadonlyMap<string, string>, links: string): Plugin {
  return {
    name: "mp-apart",
    setup(build) {
      build.onResolve({ filter: /^\..*\.ts$/ }, ({ path, importer }) => {
        const source = relative(join(links, SOURCES), resolve(dirname(importer), path));
        const place = apart.get(source.replaceAll("\\", "/"));
        return place === undefined ? undefined : { path: place, external: true };
      });
    },
  };
}

function packagesPlugin(options: ResolverOptions): Plugin {
  return {
    name: "mp-packages",
    setup(build) {
      const resolver = new PackageResolver(build, options);
      build.onResolve({ filter: /^[^./]/ }, (args) => resolver.resolve(args));
      // a package that is CommonJS requires what an ES module would import
      build.onLoad({ filter: /.*/, namespace: "node" }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      }));
      build.onLoad({ filter: /.*/, namespace: "esbuild" }, ({ path }) => ({
        contents: FOR_ESBUILD[path],
      }));
      // Deno gives packages Node's timers, which can be let go; in a bundle they would have the web's
      build.onLoad({ filter: /[\\/]node_modules[\\/].+\.c?js$/ }, async ({ path }) => {
        const code = await Deno.readTextFile(path);
        const isCommon = /\bmodule\.exports\b/.test(code);
        if (!isCommon || !/\.unref\b/.test(code) || !/\bset(Timeout|Interval)\(/.test(code)) return;
        return { contents: nodeTimers(code) };
      });
    },
  };
}

/** Resolves names of packages as Deno has resolved them, and leaves the insides of packages to esbuild. */
class PackageResolver {
  #build: PluginBuild;
  #options: ResolverOptions;
  /** Packages by the links that lead to them. */
  #linked: ReadonlyMap<string, string>;

  constructor(build: PluginBuild, options: ResolverOptions) {
    this.#build = build;
    this.#options = options;
    this.#linked = new Map(Object.keys(options.graph.npmPackages).map((id) => [linkOf(id), id]));
  }

  async resolve(args: OnResolveArgs): Promise<OnResolveResult | undefined> {
    const isOwn = args.kind === "entry-point" || isAbsolute(args.path) || args.path[0] === "#";
    if (args.pluginData === SKIP || isOwn) return undefined;
    const name = args.path.replace(/^node:/, "");
    if (builtins.has(name)) {
      const importer = this.#packageOf(args.importer);
      const isForEsbuild = importer !== undefined && Object.hasOwn(FOR_ESBUILD, name) &&
        this.#options.graph.npmPackages[importer]?.name === "esbuild";
      if (isForEsbuild) return { path: name, namespace: "esbuild" };
      return args.kind === "require-call"
        ? { path: name, namespace: "node" }
        : { path: `node:${name}`, external: true };
    }
    const { graph, importMap, root, links } = this.#options;
    const id = this.#packageOf(args.importer);
    if (id !== undefined) {
      const ids = [...graph.npmPackages[id]!.dependencies, id];
      return await this.#resolveIn(args.path, ids, args);
    }
    const source = relative(join(links, SOURCES), args.importer);
    const referrer = pathToFileURL(join(root, source)).href;
    const mapped = resolveImport(importMap, args.path, referrer) ?? args.path;
    if (mapped.startsWith("file:")) {
      return { path: join(links, SOURCES, relative(root, fileURLToPath(mapped))) };
    }
    const match = /^npm:\/?((?:@[^/]+\/)?[^/@]+)(?:@[^/]+)?(\/.*)?$/.exec(mapped);
    if (!match) return undefined;
    return await this.#resolveIn(match[1]! + (match[2] ?? ""), this.#roots(mapped), args);
  }

  /** The package to which Deno has resolved `npm:name@range`. */
  #roots(specifier: string): string[] {
    const wanted = specifier.replace(/^npm:\/?/, "npm:/");
    const { modules } = this.#options.graph;
    const found = modules.find((module) => module.specifier === wanted) ??
      modules.find((module) => module.specifier.startsWith(`${wanted}/`));
    return found?.npmPackage ? [found.npmPackage] : [];
  }

  /** The package in which a file lies, by the link that leads there. */
  #packageOf(file: string): string | undefined {
    const [folder, link] = relative(this.#options.links, file).split(sep);
    return folder === PACKAGES && link !== undefined ? this.#linked.get(link) : undefined;
  }

  async #resolveIn(
    path: string,
    ids: readonly string[],
    { kind, importer }: OnResolveArgs,
  ): Promise<OnResolveResult> {
    const name = /^(@[^/]+\/)?[^/]+/.exec(path)![0];
    const { npmPackages } = this.#options.graph;
    const id = ids.find((id) => npmPackages[id]?.name === name);
    const localPath = id && npmPackages[id]!.localPath;
    if (!id || !localPath) {
      // an optional package of a package, which does without
      const isLate = kind === "require-call" || kind === "dynamic-import";
      if (isLate && this.#packageOf(importer)) return { path: name, external: true };
      return { errors: [{ text: `Package "${name}" is not in Deno's cache` }] };
    }
    // esbuild looks into a package when it finds it in a node_modules folder
    const resolveDir = join(this.#options.links, PACKAGES, linkOf(id));
    const link = join(resolveDir, "node_modules", name);
    await Deno.mkdir(join(link, ".."), { recursive: true });
    await Deno.symlink(localPath, link, { type: "junction" }).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
    const found = await this.#build.resolve(path, { kind, importer, resolveDir, pluginData: SKIP });
    return found.errors.length > 0
      ? { errors: found.errors }
      : { path: found.path, external: found.external, sideEffects: found.sideEffects };
  }
}

/**
 * What esbuild gets instead of modules of Node. They take some milliseconds each to be loaded, and it asks
 * little of them: whether it writes to a terminal, names for large files, and to be told that it is no worker.
 */
const FOR_ESBUILD: Readonly<Record<string, string>> = {
  tty: `exports.isatty = (fd) => [Deno.stdin, Deno.stdout, Deno.stderr][fd].isTerminal();`,
  crypto: `exports.randomBytes = (size) => process.getBuiltinModule("crypto").randomBytes(size);`,
  worker_threads: `throw new Error("it is not loaded for esbuild");`,
};

/** A CommonJS module whose timers are Node's. What it declares by these names itself stays its own. */
function nodeTimers(code: string): string {
  const names = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"]
    .filter((name) => !new RegExp(`\\b(?:const|let|var|function)\\s+${name}\\b`).test(code));
  const strict = /^\s*(['"])use strict\1/.test(code) ? '"use strict";' : "";
  return `${strict}const { ${names.join(", ")} } = require("node:timers");${code}`;
}

function linkOf(id: string): string {
  return id.replaceAll("/", "+");
}
