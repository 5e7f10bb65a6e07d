/**
 * Node's built-in modules as a script gets them, by which can be seen what it does that cannot be undone: as
 * `watch_effects.ts` does for its globals.
 *
 * @module
 */

import { type OnEffect, overlay } from "./watch_effects.ts";

type Callable = (...args: unknown[]) => unknown;

/** What `util.promisify()` takes in the place of a function: Node's `promisify.custom`. */
const PROMISING = Symbol.for("nodejs.util.promisify.custom");

/** Functions that change files; those of the same name with `Sync` behind, too. */
const FILES: readonly string[] = [
  "appendFile",
  "chmod",
  "chown",
  "copyFile",
  "cp",
  "lchmod",
  "lchown",
  "link",
  "lutimes",
  "mkdir",
  "mkdtemp",
  "open",
  "rename",
  "rm",
  "rmdir",
  "symlink",
  "truncate",
  "unlink",
  "utimes",
  "writeFile",
];

/** Functions that change something outside, by the modules that have them. */
const EFFECTS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    "fs": [...FILES.flatMap((name) => [name, `${name}Sync`]), "createWriteStream"],
    "fs/promises": FILES,
    "child_process": ["exec", "execFile", "execFileSync", "execSync", "fork", "spawn", "spawnSync"],
    "dgram": ["createSocket"],
    "http": ["get", "request"],
    "http2": ["connect"],
    "https": ["get", "request"],
    "net": ["connect", "createConnection"],
    "tls": ["connect"],
  }).map(([module, names]) => [module, new Set(names)]),
);

/** What else is a member of a module. */
const INNER: ReadonlyMap<string, string> = new Map([["fs.promises", "fs/promises"]]);

/**
 * Built-in modules that tell of effects. What has no effects is the module itself.
 *
 * @param builtin Gives a module by its bare name.
 */
export function watchModules(
  builtin: (name: string) => unknown,
  onEffect: OnEffect,
): (name: string) => unknown {
  const watched = new Map<string, unknown>();
  const give = (name: string): unknown => {
    const bare = name.replace(/^node:/, "");
    if (!EFFECTS.has(bare)) return builtin(name);
    if (!watched.has(bare)) {
      watched.set(bare, watchModule(bare, builtin(name) as object, { give, onEffect }));
    }
    return watched.get(bare);
  };
  return give;
}

function watchModule(
  module: string,
  members: object,
  { give, onEffect }: { readonly give: (name: string) => unknown; readonly onEffect: OnEffect },
): object {
  const own = members as Readonly<Record<PropertyKey, unknown>>;
  const names = EFFECTS.get(module)!;
  const watched = new Map<PropertyKey, { readonly member: unknown; readonly instead: unknown }>();
  return overlay(members, (name) => {
    const inner = INNER.get(`${module}.${String(name)}`);
    if (inner !== undefined) return give(inner);
    if (typeof name !== "string" || !names.has(name)) return undefined;
    // looked at only when it is asked for: Deno loads what stands behind some
    const member = own[name];
    if (typeof member !== "function") return undefined;
    const found = watched.get(name);
    // what a script has put in place of a member is the script's
    if (found !== undefined) return found.member === member ? found.instead : undefined;
    const instead = watchFunction(module, name, member as Callable, onEffect);
    watched.set(name, { member, instead });
    return instead;
  });
}

function watchFunction(
  module: string,
  name: string,
  member: Callable,
  onEffect: OnEffect,
): Callable {
  const shown = `${module.replace("/", ".")}.${name}()`;
  const isOpen = name === "open" || name === "openSync";
  const rejects = module === "fs/promises";
  function watched(this: unknown, ...args: unknown[]): unknown {
    try {
      if (!isOpen || opensToWrite(args[1])) onEffect(`a call of ${shown}`);
    } catch (error) {
      if (rejects) return Promise.reject(error);
      throw error;
    }
    return Reflect.apply(member, this, args);
  }
  const { prototype: _, ...own } = Object.getOwnPropertyDescriptors(member);
  const custom = Object.getOwnPropertyDescriptor(member, PROMISING);
  // which is its own
  if (typeof custom?.value === "function" && custom.value !== member) {
    const value = watchFunction(module, name, custom.value as Callable, onEffect);
    Object.assign(own, { [PROMISING]: { ...custom, value } });
  }
  return Object.defineProperties(watched, own);
}

/** Whether flags of `open` are not those of reading alone, which are the default. */
function opensToWrite(flags: unknown): boolean {
  if (typeof flags !== "number") return typeof flags === "string" && !/^(?:r|rs|sr)$/.test(flags);
  const { constants } = process.getBuiltinModule("node:fs");
  const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants;
  return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) !== 0;
}
