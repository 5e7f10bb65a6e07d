/**
 * `--filter`.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";

/**
 * Reads what names of tests must have in them: a text, or a regular expression between slashes.
 *
 * @throws {MpError} `usage` for a wrong regular expression.
 */
export function readFilter(filter: string | undefined): (name: string) => boolean {
  if (filter === undefined) return () => true;
  const between = /^\/(.*)\/$/s.exec(filter)?.[1];
  if (between === undefined) return (name) => name.includes(filter);
  try {
    const expression = new RegExp(between);
    return (name) => expression.test(name);
  } catch (cause) {
    throw new MpError("usage", `Cannot read --filter "${filter}": ${messageOf(cause)}`, { cause });
  }
}
