/**
 * What the executable holds besides its code: files, and a description of them.
 *
 * `scripts/compile.ts` puts them beside the code. Nothing is embedded where `mp` runs from source.
 *
 * @module
 */

import { isBundled, ownFolder } from "./own_files.ts";

/** A file in the executable. */
export interface EmbeddedFile {
  /** Its path in the executable. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256, in hexadecimal digits. */
  readonly sha256: string;
}

/** What an executable is made of. */
export interface Embedded {
  /** SHA-256 over all that was compiled, in hexadecimal digits: two files with the same are the same program. */
  readonly digest: string;
  /** The system that it was made for, such as `x86_64-unknown-linux-gnu`. */
  readonly target: string;
  /** esbuild's native program. */
  readonly esbuild: EmbeddedFile & { readonly version: string };
  /** Declaration files, by name: of what scripts and tests import, and of the runtime. */
  readonly declarations: Readonly<Record<string, EmbeddedFile>>;
  /** The paths of all files that a package needs: the code and the declarations. */
  readonly package: readonly string[];
}

/** The name of the description. */
export const EMBEDDED = "embedded.json";

/** What this executable, or package of it, is made of; nothing where `mp` runs from source. */
export function embedded(): Embedded | undefined {
  if (!isBundled) return undefined;
  return JSON.parse(Deno.readTextFileSync(embeddedUrl(EMBEDDED))) as Embedded;
}

/** Where a file of this executable is read from. */
export function embeddedUrl(path: string): URL {
  return new URL(path, ownFolder);
}
