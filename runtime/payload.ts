/**
 * A value on its way between a caller and a handler.
 *
 * A payload is JSON text, a value, or both; each is made from the other once, when it is asked for. So
 * a router that only passes a reply on never parses it, a fan-out encodes its request once for all
 * leaves, and nothing that crosses from one replica to another is ever shared.
 *
 * @module
 */

import { MpError } from "./errors.ts";

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
 * @param value Any value; `undefined` gives empty text, as do members that are `undefined` in objects
 * be left out, as in `JSON.stringify`.
 * @returns JSON text.
 * @throws {MpError} `not_json`, naming the place, for functions, symbols, BigInt, NaN, infinities,
 * cycles, maps, sets, `undefined` in arrays, and values nested too deeply.
 */
export function encodeJson(value: unknown): string {
  if (value === undefined) return "";
  try {
    const place = findNotJson(value);
    if (place === undefined) return JSON.stringify(value);
    throw new MpError("not_json", `${place} is not JSON`);
  } catch (error) {
    if (error instanceof MpError) throw error;
    // a cycle, too deep a nesting, or a getter or toJSON() that throws
    const why = error instanceof RangeError ? "it is nested too deeply or refers to itself" : error;
    throw new MpError(
      "not_json",
      `the value is not JSON: ${why instanceof Error ? why.message.split("\n")[0] : why}`,
    );
  }
}

/** The first place in `value` that JSON cannot hold, such as `.user.score (NaN)`. */
function findNotJson(value: unknown): string | undefined {
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
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item = value[i];
      // the common leaves are judged here, without a call each
      if (typeof item === "string" || (typeof item === "number" && item - item === 0)) continue;
      const found = findNotJson(item);
      if (found !== undefined) return joinPlace(`[${i}]`, found);
    }
    return undefined;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return undefined;
  if (value instanceof Map || value instanceof Set) {
    return `the value (a ${value.constructor.name})`;
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (
      item === undefined || typeof item === "string" ||
      (typeof item === "number" && item - item === 0)
    ) continue;
    const found = findNotJson(item);
    if (found !== undefined) return joinPlace(`.${key}`, found);
  }
  return undefined;
}

function joinPlace(step: string, found: string): string {
  return found.startsWith("the value")
    ? `${step}${found.slice("the value".length)}`
    : `${step}${found}`;
}
