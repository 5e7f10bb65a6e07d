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
const CLASSES: readonly string[] = ["WebSocket", "EventSource"];
/** The names of the global object. */
const WHOLE: readonly string[] = ["globalThis", "global", "self"];

/**
 * Globals that tell of effects: of `fetch`, `WebSocket`, `EventSource`, and of what `Deno` can change.
 *
 * @param globals What they are made of, and everything else is taken from.
 */
export function watchEffects(globals: object, onEffect: OnEffect): object {
  const members = globals as Readonly<Record<string, unknown>>;
  const own = new Map<PropertyKey, unknown>();
  const { fetch, Deno: deno } = members;
  if (typeof fetch === "function") own.set("fetch", watchFetch(fetch, onEffect));
  for (const name of CLASSES) {
    const constructor = members[name];
    if (typeof constructor === "function") own.set(name, watchClass(name, constructor, onEffect));
  }
  if (typeof deno === "object" && deno !== null) own.set("Deno", watchDeno(deno, onEffect));
  const watched = new Map(own);
  const whole = members.globalThis;
  if (typeof whole === "object" && whole !== null) {
    const proxy = watchWhole(whole, watched);
    for (const name of WHOLE) if (members[name] === whole) own.set(name, proxy);
    // the object is a member of itself
    for (const name of WHOLE) watched.set(name, proxy);
  }
  return overlay(globals, (name) => own.get(name));
}

/** The global object itself; what a script has put in place of a member is the script's. */
function watchWhole(whole: object, watched: ReadonlyMap<PropertyKey, unknown>): object {
  const members = whole as Readonly<Record<PropertyKey, unknown>>;
  const originals = new Map(Array.from(watched.keys(), (name) => [name, members[name]]));
  return new Proxy(whole, {
    get(_, name) {
      const member = members[name];
      if (member === whole) return watched.get(name) ?? member;
      return originals.has(name) && originals.get(name) === member ? watched.get(name) : member;
    },
  });
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
