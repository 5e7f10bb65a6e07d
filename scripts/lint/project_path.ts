/**
 * Paths from the project's root.
 *
 * @module
 */

import { fromFileUrl, relative, SEPARATOR } from "@std/path";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** The path of a file from the project's root, with slashes; `undefined` for a file elsewhere. */
export function projectPath(file: string): string | undefined {
  const path = relative(ROOT, file.startsWith("file:") ? fromFileUrl(file) : file);
  return path.startsWith("..") ? undefined : path.replaceAll(SEPARATOR, "/");
}
