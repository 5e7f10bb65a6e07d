/**
 * What the executable holds besides its code: files, and a description of them.
 *
 * `scripts/compile.ts` puts them in. Nothing is embedded where `mp` runs from source.
 *
 * Deno reads all that it has compiled into memory whenever the executable starts, be it for a replica. So
 * on Linux, what few processes need lies before that, where only who asks for it reads it.
 *
 * @module
 */

import { isBundled, ownFolder } from "./own_files.ts";

/** A file in the executable. */
export interface EmbeddedFile {
  /** Its path, where it is one of the files that Deno has compiled in. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256, in hexadecimal digits. */
  readonly sha256: string;
  /** How far before what Deno has compiled it begins, in bytes, where it lies there. */
  readonly before?: number;
}

/** What an executable is made of. */
export interface Embedded {
  /** SHA-256 over all that was compiled, in hexadecimal digits: two files with the same are the same program. */
  readonly digest: string;
  /** The system that it was made for, such as `x86_64-unknown-linux-gnu`. */
  readonly target: string;
  /** esbuild's native program. */
  readonly esbuild: EmbeddedFile & { readonly version: string };
  /** The program as a package: JSON text with the texts of files by their paths, compressed by gzip. A package has none. */
  readonly package?: EmbeddedFile;
}

/** The name of the description. */
export const EMBEDDED = "embedded.json";

/** What this executable, or package of it, is made of; nothing where `mp` runs from source. */
export function embedded(): Embedded | undefined {
  if (!isBundled) return undefined;
  return JSON.parse(Deno.readTextFileSync(new URL(EMBEDDED, ownFolder))) as Embedded;
}

/** Reads a file of this executable. @throws {Error} When it cannot be read. */
export function readEmbedded({ path, size, before }: EmbeddedFile): Uint8Array<ArrayBuffer> {
  if (before === undefined) return Deno.readFileSync(new URL(path, ownFolder));
  using executable = openExecutable();
  const end = executable.statSync().size;
  // the length of what Deno has compiled stands at its end
  const length = new DataView(readAt(executable, end - 8, 8).buffer).getBigUint64(0, true);
  return readAt(executable, end - Number(length) - before, size);
}

/** The file that runs, even if another has been put in its place. */
function openExecutable(): Deno.FsFile {
  try {
    return Deno.openSync("/proc/self/exe");
  } catch {
    return Deno.openSync(Deno.execPath());
  }
}

function readAt(file: Deno.FsFile, position: number, size: number): Uint8Array<ArrayBuffer> {
  file.seekSync(position, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const read = file.readSync(bytes.subarray(at));
    if (read === null) throw new Error("the executable ends too early");
    at += read;
  }
  return bytes;
}
