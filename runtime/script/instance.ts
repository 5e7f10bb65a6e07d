/**
 * One evaluation of a bundle.
 *
 * @module
 */

import { dirname, toFileUrl } from "@std/path";
import { MpError } from "../errors.ts";
import { scriptApi, type ScriptHost } from "../topology/api.ts";
import type { Topology } from "../topology/topology.ts";
import type { CanonicalForm, ScriptMeta } from "./canonical.ts";
import { watchEffects } from "./watch_effects.ts";
import { watchModules } from "./watch_modules.ts";

/** What a script sees of the process that evaluates it. */
export interface ScriptSurroundings {
  /** Default: `globalThis`. */
  readonly globals?: object;
  /** A built-in module of Node by its bare name. Default: the process's. @throws {MpError} `import_unresolved` */
  readonly builtin?: (name: string) => unknown;
}

/** Options of {@linkcode evaluate}. */
export interface EvaluateOptions extends ScriptSurroundings {
  /** The default export of the bundle. */
  readonly form: CanonicalForm;
  /** The scripting API's functions that are the same for every evaluation: the patterns, the errors. */
  readonly api: Readonly<Record<string, unknown>>;
  /** What the functions that belong to one evaluation rest on. */
  readonly host: ScriptHost;
  /** The topology script, a path. */
  readonly script: string;
}

/**
 * Evaluates a bundle with an API, a registry and globals of its own.
 *
 * `started` has the topology at once, for what a script registers before it throws or hangs.
 *
 * @throws Whatever the script throws at its top level.
 */
export async function evaluate(
  options: EvaluateOptions,
  started?: (topology: Topology) => void,
): Promise<Topology> {
  const { form, host, script, globals = globalThis, builtin = nodeBuiltin } = options;
  const { api, topology } = scriptApi(host);
  started?.(topology);
  await form({
    api: { ...options.api, ...api },
    globals: host.effect === undefined ? globals : watchEffects(globals, host.effect),
    builtin: host.effect === undefined ? builtin : watchModules(builtin, host.effect),
    meta: scriptMeta(script),
  });
  return topology;
}

/** A built-in module of Node. @throws {MpError} `import_unresolved` for what is none. */
export function nodeBuiltin(name: string): unknown {
  const module = process.getBuiltinModule(name);
  if (module !== undefined) return module;
  // imports that can be seen in a script are in the bundle; this is require(name) with a computed name
  throw new MpError(
    "import_unresolved",
    `Cannot require "${name}": by a computed name only Node's built-in modules can be had`,
    { next: 'Write the name in the call, as in require("name"), so that it is bundled' },
  );
}

/** What `import.meta` is in a script. */
export function scriptMeta(script: string): ScriptMeta {
  const url = toFileUrl(script).href;
  return {
    url,
    filename: script,
    dirname: dirname(script),
    main: true,
    resolve: (specifier) => new URL(specifier, url).href,
  };
}
