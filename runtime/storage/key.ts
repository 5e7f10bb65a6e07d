/**
 * Keys as text: escaped, so that nothing in a name can be taken for anything but a name.
 *
 * An encoded key is ASCII (letters, digits, `-_.~%`, and `:` between its parts) and thus the same in every
 * character set and collation, orders the same everywhere, and needs no further escaping in a query,
 * a pattern, a path or a script.
 *
 * @module
 */

import type { Key, KeyKind } from "./storage.ts";

/** The longest name, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 512;
/** The longest encoded key, in bytes; MySQL's primary keys end at 3,072, with the namespace. */
export const MAX_KEY_BYTES = 2_560;
/** The longest namespace, in bytes of UTF-8. */
export const MAX_NAMESPACE_BYTES = 128;

const KINDS: ReadonlySet<string> = new Set<KeyKind>([
  "scope",
  "reply",
  "log",
  "queue",
  "timer",
  "lease",
]);
const PLAIN = /^[A-Za-z0-9_.~-]*$/;
const SHOWN_CHARACTERS = 40;

/** The key of `mp.scoped(name)`. */
export const scopeKey = (name: string): Key => ["scope", name];

/** The key of a user's own scope, `mp.scope.user`; never that of a scope named "user". */
export const userScopeKey = (user: string): Key => ["scope", "user", user];

/** Whether an encoded key is that of a kept reply, which is hardly ever looked at again. */
export const isReply = (encoded: string): boolean => encoded.startsWith("reply:");

/**
 * Encodes a key.
 *
 * @throws {TypeError} When it is not a kind and one or more names.
 * @throws {RangeError} When a name or the whole is too long.
 */
export function encodeKey(key: Key): string {
  return joinKey(key, 2);
}

/** Encodes the first parts of keys; what is under it begins with the result and a colon. */
export function encodePrefix(prefix: Key | readonly [KeyKind]): string {
  return joinKey(prefix, 1);
}

/** What comes after an encoded key and before every other: "!" is before all that keys are made of. */
export const keyAfter = (key: string): string => `${key}!`;

/**
 * Encodes a namespace; it never contains a colon.
 *
 * @throws {TypeError | RangeError} When it is empty, not a string, or too long.
 */
export function encodeNamespace(namespace: string): string {
  if (namespace !== "") return encodeName(namespace, MAX_NAMESPACE_BYTES);
  throw new RangeError("Cannot open a storage: its namespace is empty");
}

function joinKey(key: readonly string[], parts: number): string {
  if (!Array.isArray(key) || key.length < parts || !KINDS.has(key[0]!)) {
    throw new TypeError(
      `Cannot use the key ${showValue(key)}: it is not a kind (${[...KINDS].join(", ")}) and names`,
    );
  }
  let text = key[0]!;
  for (let i = 1; i < key.length; i++) text += `:${encodeName(key[i]!)}`;
  if (text.length > MAX_KEY_BYTES) {
    throw new RangeError(
      `Cannot use the key ${
        showKey(key as unknown as Key)
      }: it has ${text.length} bytes when escaped, more than ${MAX_KEY_BYTES}`,
    );
  }
  return text;
}

/** The key that was encoded. */
export function decodeKey(text: string): Key {
  const [kind, ...names] = text.split(":");
  return [kind as KeyKind, ...names.map(decodeName)];
}

/**
 * Escapes one name.
 *
 * @throws {TypeError} When it is not a string.
 * @throws {RangeError} When it is too long.
 */
export function encodeName(name: string, limit = MAX_NAME_BYTES): string {
  if (typeof name !== "string") {
    throw new TypeError(`Cannot use the name ${showValue(name)}: it is not a string`);
  }
  if (PLAIN.test(name) && name.length <= limit) return name;
  // what is longer in characters is longer in bytes, and is not escaped in vain
  const text = name.length > limit ? undefined : escape(name);
  const bytes = text === undefined ? new TextEncoder().encode(name).length : bytesOf(text);
  if (text === undefined || bytes > limit) {
    throw new RangeError(
      `Cannot use the name ${showValue(name)}: it has ${bytes} bytes, more than ${limit}`,
    );
  }
  return text;
}

function escape(name: string): string {
  // half a surrogate pair is no character, yet two such strings are two names
  return name.replace(/\p{Surrogate}|\P{Surrogate}+/gu, (part) => {
    const code = part.charCodeAt(0);
    if (part.length > 1 || code < 0xd800 || code > 0xdfff) {
      return encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${hex(c.charCodeAt(0))}`);
    }
    return `%ED%${hex(0x80 | (code >> 6) & 0x3f)}%${hex(0x80 | code & 0x3f)}`;
  });
}

function decodeName(text: string): string {
  if (!text.includes("%")) return text;
  return text.split(/(%ED%[AB][0-9A-F]%[0-9A-F]{2})/).map((part, i) => {
    if (i % 2 === 0) return decodeURIComponent(part);
    const [, high, low] = part.slice(1).split("%").map((digits) => parseInt(digits, 16));
    return String.fromCharCode(0xd000 | (high! & 0x3f) << 6 | low! & 0x3f);
  }).join("");
}

const hex = (byte: number) => byte.toString(16).toUpperCase();

const bytesOf = (text: string) => text.length - 2 * (text.split("%").length - 1);

/** A key for messages: `scope "cart"`. */
export function showKey(key: Key): string {
  return `${key[0]} ${key.slice(1).map((name) => showValue(name)).join(" ")}`;
}

function showValue(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
  const short = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  return typeof value === "string" ? JSON.stringify(short) : short;
}
