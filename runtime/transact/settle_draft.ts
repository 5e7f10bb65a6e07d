/**
 * From drafts to documents: plain JSON that nobody else can reach.
 *
 * What stayed where it was is shared with the document before. What was assigned is copied: a body may go
 * on to change an object that it has put into a scope, or have put it into two places.
 *
 * @module
 */

import { type Draft, draftOf, hasMembers, type Members, put, shallow } from "./draft.ts";

/** Something that JSON cannot hold, and where. */
class NotJson extends Error {
  place = "";

  constructor(readonly what: string) {
    super(what);
  }

  /** Tells in which member it was found. */
  in(key: string | number): this {
    this.place = (typeof key === "number" ? `[${key}]` : `.${key}`) + this.place;
    return this;
  }
}

/**
 * What a draft has come to.
 *
 * @throws {TypeError} Naming the place, such as `.cart[3].price (NaN) is not JSON`.
 */
export function settleDraft(draft: Draft): Members {
  return judged(() => settle(draft));
}

/** A copy of what a draft has come to, which shares nothing with it. @throws {TypeError} As above. */
export function copyDraft(draft: Draft): Members {
  return judged(() => copyOf(draft.proxy, new Set()) as Members);
}

/** A value in which copies stand for drafts. What holds no draft stays what it is. */
export function withoutDrafts(value: unknown): unknown {
  return judged(() => detach(value, new Map()));
}

function judged<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof NotJson) {
      const place = error.place.length > 200 ? `${error.place.slice(0, 200)}…` : error.place;
      throw new TypeError(`${place} (${error.what}) is not JSON`);
    }
    throw error instanceof RangeError ? new TypeError("it is nested too deeply") : error;
  }
}

function settle(draft: Draft): Members {
  const { base, owner, written, below } = draft;
  if (!draft.changed) return base;
  const settled = draft.copy ?? shallow(base);
  const settleMember = (key: string | number) => {
    const value = settled[key];
    if (typeof value !== "object" || value === null) {
      if (value === undefined && typeof key === "string") delete settled[key];
      else put(settled, key, leaf(value));
    } else if (owner.foreign.has(value) || draftOf(value)) {
      put(settled, key, copyOf(value, new Set()));
    } else {
      const at = owner.drafts.get(value);
      if (at?.changed) put(settled, key, settle(at));
    }
  };
  if (Array.isArray(settled)) within(settled.keys(), settleMember);
  else {
    const keys = new Set(written);
    for (const { changed, key, base } of below ?? []) {
      if (changed && settled[key] === base) keys.add(key);
    }
    within(keys, settleMember);
  }
  return settled;
}

/** A copy that shares nothing with what it is made of. `above` has the objects around it. */
function copyOf(value: unknown, above: Set<object>): unknown {
  if (typeof value !== "object" || value === null) return leaf(value);
  const draft = draftOf(value);
  const original = draft?.members ?? value;
  if (above.has(original)) throw new NotJson("a part of itself");
  if (!hasMembers(original) && !isBare(original)) throw new NotJson(kindOf(original));
  above.add(original);
  const members = original as Members;
  const isArray = Array.isArray(members);
  const copy = (isArray ? [] : {}) as Members;
  within<string | number>(isArray ? members.keys() : Object.keys(members), (key) => {
    const member = members[key];
    if (member === undefined && !isArray) return;
    // what was changed below a draft is known by what it was
    const changed = draft && draft.owner.drafts.get(member as object);
    put(copy, key, copyOf(changed?.proxy ?? member, above));
  });
  above.delete(original);
  return copy;
}

function within<Key extends string | number>(
  keys: Iterable<Key>,
  visit: (key: Key) => void,
): void {
  let at: Key | undefined;
  try {
    for (at of keys) visit(at);
  } catch (error) {
    throw error instanceof NotJson ? error.in(at!) : error;
  }
}

/** A value without members, as JSON gives it back. */
function leaf(value: unknown): unknown {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value !== "number") throw new NotJson(kindOf(value));
  if (!Number.isFinite(value)) throw new NotJson(String(value));
  // there is no negative zero
  return value === 0 ? 0 : value;
}

/** Whether an object of a class is nothing but its members. */
function isBare(value: object): boolean {
  return Object.prototype.toString.call(value) === "[object Object]" &&
    typeof (value as { toJSON?: unknown }).toJSON !== "function";
}

function kindOf(value: unknown): string {
  if (typeof value !== "object") return typeof value;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  const name = kind === "Object" ? String(value?.constructor?.name) : kind;
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

function detach(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (draftOf(value)) return copyOf(value, new Set());
  if (!hasMembers(value)) return value;
  if (seen.has(value)) return seen.get(value);
  seen.set(value, value);
  let copy: Members | undefined;
  for (const key of Object.keys(value)) {
    const member = detach(value[key], seen);
    if (Object.is(member, value[key])) continue;
    copy ??= shallow(value);
    put(copy, key, member);
  }
  seen.set(value, copy ?? value);
  return copy ?? value;
}
