/**
 * From the text of a body to the calls in it. Pure.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";
import { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";

/** What identifies a call. Numbers are IEEE 754 doubles, as everywhere in JSON.parse. */
export type CallId = string | number | null;

/** One call that can be made. */
export interface DecodedCall {
  /** `undefined` for a notification, which gets no reply. */
  readonly id: CallId | undefined;
  readonly method: string;
  /** The one positional parameter, the array of several, the object of named ones; else `undefined`. */
  readonly request: unknown;
  readonly error?: undefined;
}

/** One call that cannot be made, but wants to be told so. */
export interface RefusedCall {
  /** `null` where no legal id can be told. */
  readonly id: CallId;
  readonly error: MpError;
}

/** What a body holds: one call, or a batch of them. */
export type Decoded = DecodedCall | RefusedCall | readonly (DecodedCall | RefusedCall)[];

/**
 * Decodes a body.
 *
 * @param text JSON text, not trusted.
 * @param limits What is too much.
 * @returns The calls, or why there are none; it never throws.
 */
export function decodeText(text: string, limits: RpcLimits = DEFAULT_LIMITS): Decoded {
  if (isDeeper(text, limits.maxDepth)) {
    return refused(
      "request_too_large",
      `it is nested more than ${limits.maxDepth} levels deep`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return notJson(error);
  }
  return decodeValue(value, limits);
}

/** What a body that JSON.parse refuses is answered. */
export function notJson(error: unknown): RefusedCall {
  return refused("parse_error", `the body is not JSON: ${messageOf(error)}`);
}

/** Decodes a body that has been parsed and that is not too deep. */
export function decodeValue(value: unknown, limits: RpcLimits = DEFAULT_LIMITS): Decoded {
  if (!Array.isArray(value)) return decodeCall(value);
  if (value.length === 0) return refused("invalid_request", "the batch is empty");
  if (value.length > limits.maxBatch) {
    return refused(
      "request_too_large",
      `the batch holds ${value.length} calls and ${limits.maxBatch} are allowed`,
    );
  }
  return value.map(decodeCall);
}

function decodeCall(value: unknown): DecodedCall | RefusedCall {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refused("invalid_request", "a call is an object");
  }
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  if (id !== undefined && id !== null && typeof id !== "string" && typeof id !== "number") {
    return refused("invalid_request", '"id" is neither a string nor a number nor null');
  }
  if (jsonrpc !== "2.0") return refused("invalid_request", '"jsonrpc" is not "2.0"', id);
  if (typeof method !== "string") {
    return refused("invalid_request", '"method" is not a string', id);
  }
  if (params === undefined) return { id, method, request: undefined };
  if (typeof params !== "object" || params === null) {
    return refused("invalid_request", '"params" is neither an array nor an object', id);
  }
  if (!Array.isArray(params)) return { id, method, request: params };
  return { id, method, request: params.length > 1 ? params : params[0] };
}

function refused(
  code: "parse_error" | "invalid_request" | "request_too_large",
  why: string,
  id: CallId = null,
): RefusedCall {
  return { id, error: new MpError(code, `Cannot read the request: ${why}`) };
}

/**
 * Whether JSON text is nested deeper than `max`, told without parsing it: V8 parses any depth, but what
 * walks the value afterwards (JSON.stringify first of all) recurses.
 *
 * Text that is not JSON gets some answer; JSON.parse refuses it later, in linear time and without
 * recursion.
 */
export function isDeeper(text: string, max: number): boolean {
  // each level takes two characters, so that most bodies need no look at all
  if (text.length <= 2 * max) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // a string, to be skipped
        i = endOfString(text, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > max) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
    }
  }
  return false;
}

/** The index of the quote that closes the string opened at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
