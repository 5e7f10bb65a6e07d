/**
 * Calls into the C library of Linux.
 *
 * @module
 */

/** The names that it has with glibc and with musl. */
const NAMES = [
  "libc.so.6",
  Deno.build.arch === "aarch64" ? "libc.musl-aarch64.so.1" : "libc.musl-x86_64.so.1",
];

/**
 * Opens the C library for one use.
 *
 * @param functions The functions that are used.
 * @param use What is done with them.
 * @returns What `use` returns, or nothing where the library cannot be opened.
 */
export function withCLibrary<const Functions extends Deno.ForeignLibraryInterface, Result>(
  functions: Functions,
  use: (symbols: Deno.DynamicLibrary<Functions>["symbols"]) => Result,
): Result | undefined {
  const library = open(functions);
  if (library === undefined) return undefined;
  try {
    return use(library.symbols);
  } finally {
    library.close();
  }
}

function open<const Functions extends Deno.ForeignLibraryInterface>(
  functions: Functions,
): Deno.DynamicLibrary<Functions> | undefined {
  for (const name of NAMES) {
    try {
      return Deno.dlopen(name, functions);
    } catch {
      // the library has another name here
    }
  }
  return undefined;
}
