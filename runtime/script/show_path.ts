/**
 * How paths are shown to people.
 *
 * @module
 */

import { isAbsolute, relative } from "@std/path";

/**
 * A path as a person would type it: relative to the working folder when it lies in it, else absolute.
 *
 * @param path An absolute path.
 * @param from The working folder. Default: this process's.
 */
export function showPath(path: string, from: string = Deno.cwd()): string {
  const short = relative(from, path);
  return short === "" || short.startsWith("..") || isAbsolute(short) ? path : short;
}
