/**
 * The types of scopes in a script.
 *
 * @module
 */

/** A scope of which nothing was declared: an object whose members are JSON. */
// deno-lint-ignore no-explicit-any -- what a scope holds is up to the script
export type AnyScope = Record<string, any>;

/** The type of the scope `Name`, as declared in `Declared`. */
export type ScopeOf<Declared, Name extends string> = Name extends keyof Declared ? Declared[Name]
  : AnyScope;

/** `mp.scoped()`. */
export interface Scoped<Declared> {
  <const Name extends string, R>(
    name: Name,
    body: (scope: ScopeOf<Declared, Name>) => R | Promise<R>,
  ): Promise<R>;
  <const Names extends readonly string[], R>(
    names: Names,
    body: (
      ...scopes: { [Index in keyof Names]: ScopeOf<Declared, Names[Index]> }
    ) => R | Promise<R>,
  ): Promise<R>;
}

/** `mp.scope`. A scope of which nothing was declared is always there, also for noUncheckedIndexedAccess. */
// deno-lint-ignore no-explicit-any -- with AnyScope it would be possibly undefined
export type ImplicitScopes<Declared> = Declared & { [name: string]: any };

/** What a script's scopes rest on. */
export interface ScopesHost {
  /** Runs a transaction over scopes. */
  scoped(names: readonly string[], body: (...scopes: AnyScope[]) => unknown): Promise<unknown>;
  /** A scope of the call that is being answered; the whole call becomes one transaction. */
  open(name: string): AnyScope;
  /** Puts a document in place of a scope's. */
  replace(name: string, document: AnyScope): void;
  /** Removes a scope. */
  remove(name: string): void;
  /** Chooses where scopes live. */
  setStorage(name: string, config: unknown): void;
  /** Closes the storage of a program; that of a replica ends with it. */
  shutdown(): void;
}

/** Makes `mp.scope`: an object whose members are scopes. */
export function implicitScopes(host: ScopesHost): AnyScope {
  return new Proxy(Object.create(null), {
    get: (_target, name) => typeof name === "string" ? host.open(name) : undefined,
    set(_target, name, document) {
      if (typeof name !== "string") return false;
      host.replace(name, document);
      return true;
    },
    deleteProperty(_target, name) {
      if (typeof name === "string") host.remove(name);
      return true;
    },
    has: (_target, name) => typeof name === "string",
    // which scopes there are is known to the storage alone
    ownKeys: () => [],
    defineProperty: () => false,
  });
}

/** Makes `mp.scoped()`. */
export function explicitScopes(host: ScopesHost): Scoped<Record<string, AnyScope>> {
  return ((names: string | readonly string[], body: (...scopes: AnyScope[]) => unknown) => {
    const list = typeof names === "string" ? [names] : names;
    if (!Array.isArray(list) || list.some((name) => typeof name !== "string")) {
      throw new TypeError(
        "Cannot run a transaction: give the name of a scope, or an array of names",
      );
    }
    if (typeof body !== "function") {
      throw new TypeError(`Cannot run a transaction: its body is ${typeof body}, not a function`);
    }
    return host.scoped(list, body);
  }) as Scoped<Record<string, AnyScope>>;
}

/** Scopes where there is no storage: using one fails, choosing a storage does not. */
export function noScopes(error: () => Error): ScopesHost {
  const fail = () => {
    throw error();
  };
  return {
    scoped: () => Promise.reject(error()),
    open: fail,
    replace: fail,
    remove: fail,
    setStorage() {},
    shutdown() {},
  };
}
