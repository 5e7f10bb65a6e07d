/**
 * Makes the module that replicas run out of the source tree and the npm packages that it imports.
 *
 * @module
 */

import { isAbsolute, join, sep } from "node:path";
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

/**
 * Bundles the serving half into `folder`, in parts: what is imported lazily stays in files of its own.
 *
 * @param root The folder of the source tree.
 * @param entry The entry's file name in it.
 * @param folder Where the files go.
 * @throws {MpError} `launch_failed` when a package cannot be had, or the sources cannot be bundled.
 */
export async function bundleServingHalf(
  root: string,
  entry: string,
  folder: string,
): Promise<void> {
  const graph = await readGraph(root, entry);
  const config = join(root, "deno.json");
  const importMap = parseImportMap(
    JSON.parse(await Deno.readTextFile(config)),
    pathToFileURL(config).href,
  );
  const links = await Deno.makeTempDir({ prefix: "mp-packages-" });
  try {
    await withBundler((esbuild) =>
      esbuild.build({
        absWorkingDir: root,
        entryPoints: [join(root, entry)],
        outdir: folder,
        bundle: true,
        splitting: true,
        format: "esm",
        platform: "node",
        conditions: ["deno"],
        target: "esnext",
        charset: "utf8",
        legalComments: "none",
        tsconfigRaw: {},
        logLevel: "silent",
        plugins: [packagesPlugin(graph, importMap, links)],
      })
    );
  } catch (error) {
    throw new MpError("launch_failed", `Cannot bundle what replicas run: ${error}`, {
      cause: error,
      next: "Get a clean copy of the source tree",
    });
  } finally {
    await Deno.remove(links, { recursive: true });
  }
}

/** Where Deno keeps the packages of the entry; it downloads those that it does not have yet. */
async function readGraph(root: string, entry: string): Promise<Graph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--quiet", "--json", join(root, entry)],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (success) return JSON.parse(decoder.decode(stdout)) as Graph;
  throw new MpError(
    "launch_failed",
    `Cannot get the packages that replicas use: ${decoder.decode(stderr).trim()}`,
    { next: "Run it once with a network, for the packages to be downloaded" },
  );
}

function packagesPlugin(graph: Graph, importMap: ImportMap, links: string): Plugin {
  return {
    name: "mp-packages",
    setup(build) {
      const resolver = new PackageResolver(build, graph, importMap, links);
      build.onResolve({ filter: /^[^./]/ }, (args) => resolver.resolve(args));
      // a package that is CommonJS requires what an ES module would import
      build.onLoad({ filter: /.*/, namespace: "node" }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      }));
    },
  };
}

/** Resolves names of packages as Deno has resolved them, and leaves the insides of packages to esbuild. */
class PackageResolver {
  #build: PluginBuild;
  #graph: Graph;
  #importMap: ImportMap;
  #links: string;

  constructor(build: PluginBuild, graph: Graph, importMap: ImportMap, links: string) {
    this.#build = build;
    this.#graph = graph;
    this.#importMap = importMap;
    this.#links = links;
  }

  async resolve(args: OnResolveArgs): Promise<OnResolveResult | undefined> {
    if (args.pluginData === SKIP || args.kind === "entry-point" || isAbsolute(args.path)) {
      return undefined;
    }
    const name = args.path.replace(/^node:/, "");
    if (builtins.has(name)) {
      return args.kind === "require-call"
        ? { path: name, namespace: "node" }
        : { path: `node:${name}`, external: true };
    }
    const importer = this.#packageOf(args.importer);
    if (importer) return await this.#resolveIn(args.path, importer.dependencies, args);
    const mapped = resolveImport(this.#importMap, args.path, pathToFileURL(args.importer).href) ??
      args.path;
    if (mapped.startsWith("file:")) return { path: fileURLToPath(mapped) };
    const match = /^npm:\/?((?:@[^/]+\/)?[^/@]+)(?:@[^/]+)?(\/.*)?$/.exec(mapped);
    if (!match) return undefined;
    return await this.#resolveIn(match[1]! + (match[2] ?? ""), this.#roots(mapped), args);
  }

  /** The package to which Deno has resolved `npm:name@range`. */
  #roots(specifier: string): string[] {
    const wanted = specifier.replace(/^npm:\/?/, "npm:/");
    const { modules } = this.#graph;
    const found = modules.find((module) => module.specifier === wanted) ??
      modules.find((module) => module.specifier.startsWith(`${wanted}/`));
    return found?.npmPackage ? [found.npmPackage] : [];
  }

  #packageOf(file: string): NpmPackage | undefined {
    return Object.values(this.#graph.npmPackages).find(({ localPath }) =>
      localPath !== undefined && file.startsWith(localPath + sep)
    );
  }

  async #resolveIn(
    path: string,
    ids: readonly string[],
    { kind, importer }: OnResolveArgs,
  ): Promise<OnResolveResult> {
    const name = /^(@[^/]+\/)?[^/]+/.exec(path)![0];
    const id = ids.find((id) => this.#graph.npmPackages[id]?.name === name);
    const localPath = id && this.#graph.npmPackages[id]!.localPath;
    if (!id || !localPath) {
      // an optional package of a package, which does without
      const isLate = kind === "require-call" || kind === "dynamic-import";
      if (isLate && this.#packageOf(importer)) return { path: name, external: true };
      return { errors: [{ text: `Package "${name}" is not in Deno's cache` }] };
    }
    // esbuild looks into a package when it finds it in a node_modules folder
    const resolveDir = join(this.#links, id.replaceAll("/", "+"));
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
