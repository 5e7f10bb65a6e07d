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
  { what: /^(main|testing)\.ts$/, why: "it joins both halves" },
  { what: /^(redis|mysql2|dockerode|@kubernetes\/)/, why: "clients load when they are used" },
];

/** What the serving half loads only when it is asked for, by a dynamic import. */
const LAZY: readonly { readonly what: RegExp; readonly why: string }[] = [
  { what: /^prom-client(\/|$)/, why: "prom-client loads at the first GET /metrics" },
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
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  const show = (url: string) => url.startsWith(root) ? url.slice(root.length) : url;
  const problems: string[] = [];
  // breadth first, so that the way that is shown is a shortest one
  const ways = new Map<string, readonly string[]>([[entry, [show(entry)]]]);
  for (const [url, way] of ways) {
    for (const { specifier, code, isDynamic } of bySpecifier.get(url)?.dependencies ?? []) {
      if (code === undefined) continue;
      const target = code.specifier?.startsWith(root) ? code.specifier : undefined;
      // a package is known by the name that the import map gives it, a file by its path
      const name = target === undefined || !specifier.startsWith(".") ? specifier : show(target);
      const wrong = FORBIDDEN.find(({ what }) => what.test(name)) ??
        (isDynamic ? undefined : LAZY.find(({ what }) => what.test(name)));
      if (wrong !== undefined) {
        const load = LAZY.includes(wrong) ? "load at its start" : "load";
        problems.push(
          `The serving half must not ${load} ${name}: ${wrong.why} (${[...way, name].join(" → ")})`,
        );
      } else if (target !== undefined && !ways.has(target)) {
        ways.set(target, [...way, name]);
      }
    }
  }
  return problems;
}
