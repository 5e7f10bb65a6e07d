/**
 * The globals of a script, by which can be seen what it does that cannot be undone.
 *
 * A transaction may run several times, so nothing else may happen in it. Here that can be seen of what
 * the canonical form takes from its environment; `watch_modules.ts` does the same for Node's modules.
 *
 * @module
 */

/** Told before an effect. @throws When there must be none now. */
export type OnEffect = (effect: string) => void;

/** Functions of `Deno` that change something outside; those of the same name with `Sync` behind, too. */
const CHANGING: ReadonlySet<string> = new Set([
  "chmod",
  "chown",
  "connect",
  "connectTls",
  "copyFile",
  "create",
  "kill",
  "link",
  "makeTempDir",
  "makeTempFile",
  "mkdir",
  "remove",
  "rename",
  "symlink",
  "truncate",
  "utime",
  "writeFile",
  "writeTextFile",
]);
/** The members of the global object that are watched, and how. */
const WATCHERS: ReadonlyMap<PropertyKey, Watcher> = new Map<PropertyKey, Watcher>([
  ["fetch", ifFunction(watchFetch)],
  ["WebSocket", ifFunction((member, onEffect) => watchClass("WebSocket", member, onEffect))],
  ["EventSource", ifFunction((member, onEffect) => watchClass("EventSource", member, onEffect))],
  ["Deno", (member, onEffect) => isObject(member) ? watchDeno(member, onEffect) : undefined],
]);
/** The names of the global object. */
const WHOLE: readonly string[] = ["globalThis", "global", "self"];

/** Makes what a script gets instead of a member; nothing where the member is not what it should be. */
type Watcher = (member: unknown, onEffect: OnEffect) => unknown;

/**
 * Globals that tell of effects: of `fetch`, `WebSocket`, `EventSource`, and of what `Deno` can change.
 *
 * Members are looked at when a script asks for them, since looking costs: Deno loads what stands behind
 * `EventSource`, a fifth of what a replica's start takes, when somebody does.
 *
 * @param globals What they are made of, and everything else is taken from.
 */
export function watchEffects(globals: object, onEffect: OnEffect): object {
  const members = globals as Readonly<Record<PropertyKey, unknown>>;
  const watch = lazily((name) => WATCHERS.get(name)?.(members[name], onEffect));
  const whole = members.globalThis;
  if (!isObject(whole)) return overlay(globals, watch);
  const proxy = watchWhole(whole, watch);
  const isWhole = new Set<PropertyKey>(WHOLE.filter((name) => members[name] === whole));
  return overlay(globals, (name) => isWhole.has(name) ? proxy : watch(name));
}

/** The global object itself; what a script has put in place of a member is the script's. */
function watchWhole(whole: object, watch: (name: PropertyKey) => unknown): object {
  const members = whole as Readonly<Record<PropertyKey, unknown>>;
  // taken before the script can change it
  const original = lazily((name) => members[name]);
  const proxy: object = new Proxy(whole, {
    get(_, name) {
      const first = original(name);
      const member = members[name];
      // the object is a member of itself
      if (member === whole) return proxy;
      return first !== undefined && first === member ? watch(name) ?? member : member;
    },
    set(target, name, value, receiver) {
      original(name);
      return Reflect.set(target, name, value, receiver);
    },
    defineProperty(target, name, attributes) {
      original(name);
      return Reflect.defineProperty(target, name, attributes);
    },
  });
  return proxy;
}

/** Asks once for each name, when it is first asked. */
function lazily(ask: (name: PropertyKey) => unknown): (name: PropertyKey) => unknown {
  const known = new Map<PropertyKey, unknown>();
  return (name) => {
    if (!WATCHERS.has(name)) return undefined;
    if (!known.has(name)) known.set(name, ask(name));
    return known.get(name);
  };
}

function ifFunction(watch: (member: object, onEffect: OnEffect) => unknown): Watcher {
  return (member, onEffect) => typeof member === "function" ? watch(member, onEffect) : undefined;
}

function isObject(member: unknown): member is object {
  return typeof member === "object" && member !== null;
}

function watchFetch(fetch: object, onEffect: OnEffect): object {
  return new Proxy(fetch, {
    apply(target, self, args) {
      try {
        onEffect("a call of fetch()");
      } catch (error) {
        return Promise.reject(error);
      }
      return Reflect.apply(target as () => unknown, self, args);
    },
  });
}

function watchClass(name: string, constructor: object, onEffect: OnEffect): object {
  return new Proxy(constructor, {
    construct(target, args, newTarget) {
      onEffect(`a new ${name}`);
      return Reflect.construct(target as new () => object, args, newTarget);
    },
  });
}

function watchDeno(deno: object, onEffect: OnEffect): object {
  const made = new Map<PropertyKey, unknown>();
  return overlay(deno, (name) => {
    if (typeof name !== "string") return undefined;
    if (made.has(name)) return made.get(name);
    const watched = watchMember(deno, name, onEffect);
    made.set(name, watched);
    return watched;
  });
}

function watchMember(deno: object, name: string, onEffect: OnEffect): unknown {
  const isSync = name.endsWith("Sync");
  const isOpen = name === "open" || name === "openSync";
  if (name !== "Command" && !isOpen && !CHANGING.has(isSync ? name.slice(0, -4) : name)) {
    return undefined;
  }
  const member = (deno as Readonly<Record<string, unknown>>)[name];
  if (typeof member !== "function") return undefined;
  if (name === "Command") return watchClass("Deno.Command", member, onEffect);
  return (...args: unknown[]): unknown => {
    try {
      if (!isOpen || opensToWrite(args[1])) onEffect(`a call of Deno.${name}()`);
    } catch (error) {
      if (isSync || name === "kill") throw error;
      return Promise.reject(error);
    }
    return Reflect.apply(member, deno, args);
  };
}

function opensToWrite(options: unknown): boolean {
  const { write, append, truncate, create, createNew } = (options ?? {}) as Deno.OpenOptions;
  return Boolean(write || append || truncate || create || createNew);
}

/** An object that is another, except for some members. */
export function overlay(target: object, member: (name: PropertyKey) => unknown): object {
  return new Proxy(target, {
    get: (target, name) => member(name) ?? Reflect.get(target, name),
  });
}
