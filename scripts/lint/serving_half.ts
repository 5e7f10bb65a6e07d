/**
 * What a replica's process loads, and what it must not.
 *
 * @module
 */

/** One module of a graph, as `deno info --json` tells of it. */
export interface GraphModule {
  readonly specifier: string;
  readonly error?: string;
  readonly dependencies?: readonly GraphDependency[];
}

/** One import; those that are gone when the types are have no `code`. */
export interface GraphDependency {
  /** As it is written in the source. */
  readonly specifier: string;
  readonly code?: { readonly specifier?: string; readonly error?: string };
  readonly isDynamic?: boolean;
}

/** What the serving half never loads, and why. Paths are from the project's root. */
const FORBIDDEN: readonly { readonly what: RegExp; readonly why: string }[] = [
  { what: /^esbuild(\/|$)/, why: "a replica is given its bundle and never makes one" },
  { what: /^runtime\/script\/bundle/, why: "a replica is given its bundle and never makes one" },
  { what: /^runtime\/cli\//, why: "a replica has no command line" },
  {
    what: /^runtime\/launch\//,
    why: "a replica launches nothing; import the contract's types only, or move what both halves " +
      "need next to its contract in runtime/",
  },
  { what: /^drivers\/(?!storage\/)/, why: "a replica is launched by a driver and never loads one" },
  { what: /^(main|mp|testing)\.ts$/, why: "it joins both halves" },
  {
    what: /^(dockerode|@kubernetes\/)/,
    why: "a replica is launched by a platform and never asks it",
  },
];

/** What the serving half loads only when it is asked for: behind a dynamic import. */
const LAZY: readonly { readonly what: RegExp; readonly why: string }[] = [
  { what: /^(redis|mysql2)(\/|$)/, why: "a storage's client loads when the storage is first used" },
  { what: /^prom-client(\/|$)/, why: "prom-client loads at the first GET /metrics" },
  {
    what: /^@opentelemetry\/|^runtime\/telemetry\/(open_telemetry|export\/)/,
    why: "spans are made only where something takes them, as with OTEL_DENO=true",
  },
  { what: /^bcryptjs(\/|$)/, why: "bcryptjs loads when a password is compared with such a hash" },
];

/**
 * Judges everything that the serving half reaches.
 *
 * @param modules The graph of the serving half's entry.
 * @param entry The URL of that entry.
 * @param root The URL of the project's root, with a slash at the end.
 * @returns One sentence for each forbidden import, with the way to it.
 */
export function judgeServingHalf(
  modules: readonly GraphModule[],
  entry: string,
  root: string,
): string[] {
  const graph: Graph = {
    modules: new Map(modules.map((module) => [module.specifier, module])),
    root,
  };
  const judge = (withDynamic: boolean, rules: typeof FORBIDDEN, load: string): string[] =>
    imports(graph, entry, withDynamic).flatMap(({ name, way }) => {
      const rule = rules.find(({ what }) => what.test(name));
      return rule
        ? [`The serving half must not ${load} ${name}: ${rule.why} (${way.join(" → ")})`]
        : [];
    });
  return [...judge(true, FORBIDDEN, "load"), ...judge(false, LAZY, "load at its start")];
}

interface Graph {
  readonly modules: ReadonlyMap<string, GraphModule>;
  /** The URL of the project's root. */
  readonly root: string;
}

/** Everything that is imported from an entry on, each by a shortest way. */
function imports(
  { modules, root }: Graph,
  entry: string,
  withDynamic: boolean,
): { readonly name: string; readonly way: readonly string[] }[] {
  const show = (url: string) => url.startsWith(root) ? url.slice(root.length) : url;
  const found = new Map<string, readonly string[]>();
  // breadth first
  const ways = new Map<string, readonly string[]>([[entry, [show(entry)]]]);
  for (const [url, way] of ways) {
    for (const { specifier, code, isDynamic } of modules.get(url)?.dependencies ?? []) {
      if (code === undefined || (isDynamic && !withDynamic)) continue;
      const target = code.specifier?.startsWith(root) ? code.specifier : undefined;
      // a package is known by the name that the import map gives it, a file by its path
      const name = target === undefined || !specifier.startsWith(".") ? specifier : show(target);
      if (!found.has(name)) found.set(name, [...way, name]);
      const isJudged = FORBIDDEN.some(({ what }) => what.test(name));
      if (target !== undefined && !isJudged && !ways.has(target)) ways.set(target, [...way, name]);
    }
  }
  return Array.from(found, ([name, way]) => ({ name, way }));
}
