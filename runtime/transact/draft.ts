/**
 * JSON that can be changed without changing it: drafts, which note what a body does to a document.
 *
 * A draft behaves as the plain object or array that it stands for, and copies it at the first change. Only
 * members count: what objects inherit, such as `constructor` or the setter `__proto__`, is not there, so
 * that any text can be used as a name. What a body puts into a document stays the body's own object, as
 * in plain JavaScript, until `settle_draft.ts` makes JSON of it.
 *
 * @module
 */

import { arrayMethods } from "./draft_array.ts";

/** The members of an object or of an array. */
export type Members = Record<string, unknown>;

/** What the drafts of one attempt of a transaction share. */
export interface DraftOwner {
  /** Called before each use of a draft. @throws When drafts can no longer be used. */
  use(scope: string): void;
  /** The drafts that there are, by what they stand for. */
  readonly drafts: Map<object, Draft>;
  /** The objects that the body has made and put into a document. */
  readonly foreign: Set<object>;
}

/** Asks what bodies see of a draft for the draft; nothing else has a member of this name. */
const DRAFT = Symbol("draft");

/** By which `console.log()` asks how something is shown. */
const INSPECT = Symbol.for("Deno.customInspect");

/** What is known of one object or array of a document. */
export class Draft {
  /** The copy that was changed; for an object of the body's own, that object itself. */
  copy: Members | undefined;
  /** Whether it, or anything below it, was changed. */
  changed = false;
  /** The names of an object's members that were set. */
  written: Set<string> | undefined;
  /** The drafts of its members that stand where they always stood. */
  below: Draft[] | undefined;
  /** What bodies get to see. */
  readonly proxy: object;

  constructor(
    readonly owner: DraftOwner,
    readonly scope: string,
    readonly base: Members,
    /** Whether it is an object that a body has made, and not part of what is known of a scope. */
    readonly isForeign: boolean,
    readonly parent: Draft | undefined,
    /** Its name in an object that is its parent. */
    readonly key: string,
  ) {
    if (isForeign) this.copy = base;
    this.proxy = Array.isArray(base)
      ? new Proxy(new ArrayTarget(this), ARRAY_HANDLER)
      : new Proxy(this, OBJECT_HANDLER);
  }

  /** The members as they are now. */
  get members(): Members {
    return this.copy ?? this.base;
  }

  /** The members, to be changed. */
  change(): Members {
    if (this.copy !== undefined) return this.copy;
    this.mark();
    return this.copy = shallow(this.base);
  }

  /** Notes that something was changed here or below. */
  mark(): void {
    if (this.changed) return;
    this.changed = true;
    this.parent?.mark();
  }

  /** What bodies see of a member. */
  see(value: unknown, key: string): unknown {
    if (typeof value !== "object" || value === null || draftOf(value)) return value;
    const { owner } = this;
    const known = owner.drafts.get(value);
    if (known !== undefined) return known.proxy;
    const isForeign = this.isForeign || owner.foreign.has(value);
    // what is no JSON is refused when the body has ended
    if (isForeign && !hasMembers(value)) return value;
    const made = new Draft(owner, this.scope, value as Members, isForeign, this, key);
    if (!isForeign) (this.below ??= []).push(made);
    owner.drafts.set(value, made);
    return made.proxy;
  }

  /** Notes that a value was put into this document. */
  take(value: unknown): void {
    if (typeof value === "object" && value !== null && !draftOf(value)) {
      this.owner.foreign.add(value);
    }
  }

  /** `console.log()` shows what is inside. */
  [INSPECT](inspect: Inspect, options: unknown): string {
    const shown = shallow(this.members);
    for (const key of Object.keys(shown)) put(shown, key, this.see(shown[key], key));
    return inspect(shown, options);
  }
}

type Inspect = (value: unknown, options: unknown) => string;

/** Lets `Array.isArray()` say the truth about a draft. */
class ArrayTarget extends Array {
  constructor(readonly draft: Draft) {
    super();
  }

  [INSPECT](inspect: Inspect, options: unknown): string {
    return this.draft[INSPECT](inspect, options);
  }
}

/** The draft that a value is, if it is one. */
export function draftOf(value: object): Draft | undefined {
  return (value as { readonly [DRAFT]?: Draft })[DRAFT];
}

/** Whether a value is an object or array as JSON has them. */
export function hasMembers(value: object): value is Members {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
}

/** A copy that shares its members. */
export function shallow(members: Members): Members {
  return Array.isArray(members) ? members.slice() as unknown as Members : { ...members };
}

/** Sets a member by any name, `__proto__` too. */
export function put(members: Members, key: string | number, value: unknown): boolean {
  if (key === "__proto__") return define(members, key, value);
  members[key] = value;
  return true;
}

function define(target: object, key: string | symbol, value: unknown): boolean {
  const own = { value, writable: true, enumerable: true, configurable: true };
  return Reflect.defineProperty(target, key, own);
}

const INDEX = /^(?:0|[1-9]\d*)$/;

function set(draft: Draft, key: string | symbol, value: unknown): boolean {
  if (typeof key === "symbol") {
    throw new TypeError(`Cannot set ${String(key)}: a scope holds JSON, whose names are text`);
  }
  const { members } = draft;
  // JSON drops it without a word, and with it what a negative index was to change
  if (Array.isArray(members) && key !== "length" && !INDEX.test(key)) {
    throw new TypeError(`Cannot set ${JSON.stringify(key)} of an array: it is no index`);
  }
  if (!draft.isForeign && Object.hasOwn(members, key)) {
    const now = members[key];
    if (Object.is(now, value)) return true;
    if (typeof value === "object" && value !== null && draftOf(value)?.base === now) return true;
  }
  const copy = draft.change();
  draft.take(value);
  if (!Array.isArray(copy)) (draft.written ??= new Set()).add(key);
  return put(copy, key, value);
}

const OBJECT_HANDLER: ProxyHandler<Draft> = {
  get(draft, key) {
    if (key === DRAFT) return draft;
    draft.owner.use(draft.scope);
    const { members } = draft;
    // names that are no text are no data, so this one can be as it is for other objects
    if (key === Symbol.toPrimitive) return () => "[object Object]";
    if (typeof key === "symbol" || !Object.hasOwn(members, key)) return undefined;
    return draft.see(members[key], key);
  },
  set(draft, key, value, receiver) {
    draft.owner.use(draft.scope);
    // an object that has a draft for its prototype gets members of its own
    return receiver === draft.proxy ? set(draft, key, value) : define(receiver, key, value);
  },
  has(draft, key) {
    draft.owner.use(draft.scope);
    return Object.hasOwn(draft.members, key);
  },
  deleteProperty(draft, key) {
    draft.owner.use(draft.scope);
    return !Object.hasOwn(draft.members, key) || Reflect.deleteProperty(draft.change(), key);
  },
  ownKeys(draft) {
    draft.owner.use(draft.scope);
    return Reflect.ownKeys(draft.members);
  },
  getOwnPropertyDescriptor(draft, key) {
    draft.owner.use(draft.scope);
    const { members } = draft;
    if (typeof key === "symbol" || !Object.hasOwn(members, key)) return undefined;
    // the language holds a proxy to what the target's length is
    const isOpen = key !== "length" || !Array.isArray(members);
    const value = draft.see(members[key], key);
    return { value, writable: true, enumerable: isOpen, configurable: isOpen };
  },
  defineProperty(draft, key, { get: getter, set: setter, value }) {
    draft.owner.use(draft.scope);
    if (!getter && !setter) return set(draft, key, value);
    throw new TypeError(`Cannot define ${String(key)}: a scope holds JSON, no getters and setters`);
  },
  getPrototypeOf: () => null,
  setPrototypeOf() {
    throw new TypeError("Cannot set a prototype: a scope holds JSON, no classes");
  },
  preventExtensions() {
    throw new TypeError("Cannot freeze a part of a scope: it can always be changed");
  },
};

const ARRAY_METHODS = arrayMethods(draftOf);

/** The same for arrays, whose target only points to the draft. */
const ARRAY_HANDLER: ProxyHandler<ArrayTarget> = {
  ...Object.fromEntries(
    Object.entries(OBJECT_HANDLER).map(([name, trap]) => [
      name,
      ({ draft }: ArrayTarget, ...rest: unknown[]) =>
        (trap as (...args: unknown[]) => unknown)(draft, ...rest),
    ]),
  ),
  get({ draft }, key) {
    if (key === DRAFT) return draft;
    draft.owner.use(draft.scope);
    const { members } = draft;
    if (typeof key === "string" && Object.hasOwn(members, key)) return draft.see(members[key], key);
    return typeof key === "string" && Object.hasOwn(ARRAY_METHODS, key)
      ? ARRAY_METHODS[key]
      : Array.prototype[key as keyof unknown[]];
  },
  has({ draft }, key) {
    draft.owner.use(draft.scope);
    return Reflect.has(draft.members, key);
  },
  getPrototypeOf: () => Array.prototype,
};
