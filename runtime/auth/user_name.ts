/**
 * What can be the name of a user.
 *
 * @module
 */

import { MAX_NAME_BYTES } from "../storage/key.ts";

// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;
const encoder = new TextEncoder();

/** Whether a text holds control characters, which neither names nor passwords may (RFC 7617). */
export function hasControls(text: string): boolean {
  return CONTROL.test(text);
}

/** What keeps a text from being the name of a user, who has a scope of that name; `undefined` when nothing does. */
export function userNameProblem(name: unknown): string | undefined {
  if (typeof name !== "string") {
    return `it is ${name === null ? "null" : typeof name}, not a string`;
  }
  if (name === "") return "it is empty";
  if (hasControls(name)) return "it holds a control character";
  if (!name.isWellFormed()) return "it holds half a character";
  // a character has one to three bytes for each of its UTF-16 units
  if (
    name.length > MAX_NAME_BYTES ||
    name.length * 3 > MAX_NAME_BYTES && encoder.encode(name).length > MAX_NAME_BYTES
  ) return `it is longer than ${MAX_NAME_BYTES} bytes`;
  return undefined;
}
