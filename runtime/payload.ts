/**
 * A value on its way between a caller and a handler.
 *
 * A payload is JSON text, a value, or both; each is made from the other once, when it is asked for. So
 * a router that only passes a reply on never parses it, a fan-out encodes its request once for all
 * leaves, and nothing that crosses from one replica to another is ever shared.
 *
 * @module
 */

import { messageOf, MpError } from "./errors.ts";

const NOTHING = Symbol("not decoded");

/** One JSON value, as text, as a value, or as both. */
export class Payload {
  #text: string | undefined;
  #value: unknown;

  private constructor(text: string | undefined, value: unknown) {
    this.#text = text;
    this.#value = value;
  }

  /** The payload of a value; it is encoded when its text is asked for. `undefined` is a payload too. */
  static of(value: unknown): Payload {
    return new Payload(undefined, value);
  }

  /** The payload of JSON text, which is trusted to be JSON; empty text stands for `undefined`. */
  static ofText(text: string): Payload {
    return new Payload(text, NOTHING);
  }

  /** The payload of a value, encoded now. @throws {MpError} `not_json` when the value is not JSON. */
  static encode(value: unknown): Payload {
    return new Payload(encodeJson(value), NOTHING);
  }

  /** JSON text; empty for `undefined`. @throws {MpError} `not_json` when the value is not JSON. */
  get text(): string {
    return this.#text ??= encodeJson(this.#value);
  }

  /** The value; a fresh copy for a payload that came as text, and the same copy each time. */
  get value(): unknown {
    if (this.#value === NOTHING) this.#value = this.#text ? JSON.parse(this.#text!) : undefined;
    return this.#value;
  }
}

/**
 * Encodes a value as JSON, and refuses what JSON would silently change or drop.
 *
 * @param value Any value; `undefined` gives empty text, and members of objects that are `undefined` are
 * left out, as in `JSON.stringify`.
 * @returns JSON text.
 * @throws {MpError} `not_json`, naming the place, for functions, symbols, BigInt, NaN, infinities,
 * cycles, maps, promises and whatever else keeps its content to itself, `undefined` in arrays, and
 * values nested too deeply.
 */
export function encodeJson(value: unknown): string {
  if (value === undefined) return "";
  let place: string | undefined;
  try {
    place = findNotJson(value, "");
    if (place === undefined) return JSON.stringify(value);
  } catch (error) {
    // a cycle, too deep a nesting, or a getter or toJSON() that throws
    place = error instanceof RangeError
      ? placeOfRangeError(value as object, error)
      : `the value (${messageOf(error).split("\n")[0]})`;
  }
  throw new MpError("not_json", `${place} is not JSON`);
}

/** The first place in `value` that JSON cannot hold, such as `.user.score (NaN)`. */
function findNotJson(value: unknown, key: string): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `the value (${value})`;
    case "object":
      break;
    default:
      return `the value (${typeof value})`;
  }
  if (value === null) return undefined;
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return findInMade(value, key);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item = value[i];
      // the common leaves are judged here, without a call each
      if (typeof item === "string" || (typeof item === "number" && item - item === 0)) continue;
      const found = findNotJson(item, String(i));
      if (found !== undefined) return joinPlace(`[${i}]`, found);
    }
    return undefined;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const kind = hiddenKind(value);
    if (kind !== undefined) return `the value (${kind})`;
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (
      item === undefined || item === null || typeof item === "string" ||
      typeof item === "boolean" || (typeof item === "number" && item - item === 0) ||
      !Object.hasOwn(value, key)
    ) continue;
    const found = findNotJson(item, key);
    if (found !== undefined) return joinPlace(`.${key}`, found);
  }
  return undefined;
}

/** As above, in what the value's own `toJSON()` makes of it. */
function findInMade(value: object, key: string): string | undefined {
  if (value instanceof Date && Number.isNaN(value.getTime())) return "the value (an invalid Date)";
  const made: unknown = (value as { toJSON(key: string): unknown }).toJSON(key);
  return made === value ? undefined : findNotJson(made, key);
}

/** What an object is whose content is not in its members, such as `a Map`. */
function hiddenKind(value: object): string | undefined {
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind === "Object" || kind === "String" || kind === "Boolean") return undefined;
  if (kind === "Number") return Number.isFinite(Number(value)) ? undefined : String(value);
  return `${/^[AEIO]/.test(kind) ? "an" : "a"} ${kind}`;
}

function joinPlace(step: string, found: string): string {
  return found.startsWith("the value")
    ? `${step}${found.slice("the value".length)}`
    : `${step}${found}`;
}

function placeOfRangeError(value: object, error: RangeError): string {
  const cycle = findCycle(value);
  if (cycle !== undefined) return `${cycle} (a part of itself)`;
  return `the value (${/string length/.test(error.message) ? "too large" : "nested too deeply"})`;
}

/** The place at which a value comes back to what it is a part of. */
function findCycle(value: object): string | undefined {
  // the stack of the language is too small for what comes here
  const stack = [{ value, step: "", members: Object.entries(value).values() }];
  const above = new Set<unknown>([value]);
  const seen = new Set<unknown>();
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { value: member } = top.members.next();
    if (member === undefined) {
      above.delete(top.value);
      seen.add(top.value);
      stack.pop();
      continue;
    }
    const [key, item] = member;
    if (typeof item !== "object" || item === null || seen.has(item)) continue;
    const step = Array.isArray(top.value) ? `[${key}]` : `.${key}`;
    if (above.has(item)) return shorten(stack.map((entry) => entry.step).join("") + step);
    above.add(item);
    stack.push({ value: item, step, members: Object.entries(item).values() });
  }
  return undefined;
}

function shorten(place: string): string {
  return place.length > 200 ? `${place.slice(0, 80)}…${place.slice(-80)}` : place;
}
