/**
 * What may import what: the table behind the lint rule `mp/layers`.
 *
 * @module
 */

/** A folder or file of the project, and what it may import. */
export interface Layer {
  readonly name: string;
  /** What belongs to it: paths from the project's root, folders with a slash at the end. */
  readonly files: readonly string[];
  /** Names of the layers that it may import, besides itself; `"*"` for all. */
  readonly layers: readonly string[] | "*";
  /** Packages that it may import, by their names in the import map; `"*"` for all. */
  readonly packages: readonly string[] | "*";
  /** Whether it may import Node's built-in modules, `node:…`. */
  readonly builtIns: boolean;
  /** Why it is kept so, and where what does not fit belongs. */
  readonly why: string;
}

/** The names by which users import the project. */
export const PUBLIC_NAMES = ["@metaparticle/mp", "@metaparticle/mp/testing"];

/** Every layer; the first one that fits a file is its own. */
export const LAYERS: readonly Layer[] = [
  {
    name: "std",
    files: ["std/"],
    layers: [],
    packages: [],
    builtIns: false,
    why: "std/ only declares the types of @std",
  },
  {
    name: "deno.json",
    files: ["deno.json"],
    layers: [],
    packages: [],
    builtIns: false,
    why: "it is data: the program's version and the import map are read from it",
  },
  {
    name: "runtime",
    files: ["runtime/"],
    layers: ["deno.json"],
    packages: [
      "hono",
      "@std",
      "esbuild",
      "prom-client",
      "bcryptjs",
      "@opentelemetry",
      "@jridgewell/trace-mapping",
    ],
    builtIns: true,
    why:
      "everything stands on the runtime, so it knows no pattern, no driver and no client library: " +
      "write a contract in runtime/, implement it in patterns/ or drivers/, and join the two in main.ts",
  },
  {
    name: "patterns",
    files: ["patterns/"],
    layers: ["runtime"],
    packages: [],
    builtIns: false,
    why: "a pattern says how requests spread over replicas, wherever these run: " +
      "what several patterns share belongs in runtime/topology/, what touches an outside system in drivers/",
  },
  {
    name: "drivers",
    files: ["drivers/"],
    layers: ["runtime"],
    packages: ["@std", "redis", "mysql2", "undici", "ws"],
    builtIns: true,
    why: "a driver turns a plan into running replicas, whatever the patterns in it: " +
      "what several drivers share belongs in runtime/launch/",
  },
  {
    name: "mod.ts",
    files: ["mod.ts"],
    layers: ["patterns", "runtime"],
    packages: [],
    builtIns: false,
    why:
      "the scripting API is the same wherever a script runs, so it loads no driver: join drivers in main.ts",
  },
  {
    name: "testing",
    files: ["testing/"],
    layers: ["deno.json", "runtime", "drivers"],
    packages: ["@std"],
    builtIns: true,
    why:
      "testing/ is what testing.ts is made of: it stands on the drivers, whatever the patterns, " +
      "which testing.ts hands to it with the rest of the scripting API",
  },
  {
    name: "the entries",
    files: ["main.ts", "mp.ts", "replica.ts", "testing.ts"],
    layers: ["deno.json", "mod.ts", "patterns", "runtime", "drivers", "testing"],
    packages: ["@std"],
    builtIns: true,
    why:
      "the entries join the layers and do nothing else: what needs a package belongs in runtime/ or drivers/",
  },
  {
    name: "examples",
    files: ["examples/"],
    layers: [],
    packages: [...PUBLIC_NAMES, "@std"],
    builtIns: true,
    why: "an example is a user's script: it imports the public names " +
      `(${PUBLIC_NAMES.join(", ")}), never the project's files`,
  },
  {
    name: "scripts",
    files: ["scripts/"],
    layers: "*",
    packages: "*",
    builtIns: true,
    why: "scripts are not shipped",
  },
  {
    name: "tests",
    files: ["tests/"],
    layers: "*",
    packages: "*",
    builtIns: true,
    why: "tests are not shipped",
  },
];

/** The layer that a file belongs to, by its path from the project's root. */
export function layerOf(path: string): Layer | undefined {
  return LAYERS.find(({ files }) =>
    files.some((file) => file.endsWith("/") ? path.startsWith(file) : path === file)
  );
}

/**
 * What is wrong with an import.
 *
 * @param from The importing file, as a path from the project's root.
 * @param specifier What it imports, as it is written.
 * @returns A sentence, or `undefined` when nothing is wrong.
 */
export function judgeImport(from: string, specifier: string): string | undefined {
  const layer = layerOf(from);
  if (layer === undefined) {
    return `${from} is in no layer; give it one in scripts/lint/layers.ts, or move it`;
  }
  if (specifier.startsWith("node:")) {
    return layer.builtIns ? undefined : `${layer.name} may not import Node's built-in modules`;
  }
  if (/^[a-z][a-z+.-]+:/.test(specifier)) {
    return "packages are imported by a name from the import map of deno.json, where versions are kept";
  }
  return /^\.{0,2}\//.test(specifier)
    ? judgeFile(layer, from, specifier)
    : judgePackage(layer, specifier);
}

function judgePackage({ name, packages }: Layer, specifier: string): string | undefined {
  if (packages === "*") return undefined;
  if (packages.some((own) => specifier === own || specifier.startsWith(`${own}/`))) {
    return undefined;
  }
  return packages.length === 0
    ? `${name} may not import packages`
    : `${name} may import no packages but ${
      packages.join(", ")
    } (the table is scripts/lint/layers.ts)`;
}

function judgeFile(layer: Layer, from: string, specifier: string): string | undefined {
  const target = new URL(specifier, `root:/${from}`).pathname.slice(1);
  const other = layerOf(target);
  if (other === undefined) return `${target} is in no layer of scripts/lint/layers.ts`;
  if (layer.name === "drivers" && other === layer) return judgeDriver(from, target);
  if (other === layer || layer.layers === "*" || layer.layers.includes(other.name)) {
    return undefined;
  }
  const allowed = [...layer.layers, ...(layer.files[0]!.endsWith("/") ? [layer.name] : [])];
  return `${layer.name} may not import ${other.name}, only ${allowed.join(", ")}`;
}

/** Drivers know nothing of each other. */
function judgeDriver(from: string, target: string): string | undefined {
  const folder = (path: string) => path.split("/").slice(0, 2).join("/");
  return folder(from) === folder(target)
    ? undefined
    : `${folder(from)}/ may not import ${folder(target)}/`;
}
