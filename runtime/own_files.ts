/**
 * Where the program's own files lie: as modules of the source tree, or bundled, in the executable or in a
 * package that it has written out.
 *
 * ```text
 * the source tree          bundled
 *   mp.ts, mod.ts, …         main/main.js, main/mod.js, … and what they share
 *   replica.ts               replica/replica.js, …
 *                            files/…, embedded.json
 * ```
 *
 * The launching half of a source tree is bundled too where it was made before, for it to start sooner; its
 * files are those of the tree still.
 *
 * @module
 */

/** What the launching half of a source tree was made of. */
export interface MadeOf {
  /** The URL of the tree's folder, with a slash at its end. */
  readonly tree: string;
  /** The folder of the serving half of the same sources. */
  readonly servingHalf: string;
  /** esbuild's native program, which is no part of a bundle. */
  readonly esbuild: string;
}

/** Put in by whoever makes the launching half. */
declare const MP_MADE_OF: MadeOf | undefined;

/** What this was made of, where it is the launching half of a source tree. */
export const madeOf: MadeOf | undefined = typeof MP_MADE_OF === "undefined"
  ? undefined
  : MP_MADE_OF;

/** Whether this is code of the executable, or of a package. */
export const isBundled: boolean = madeOf === undefined && import.meta.url.endsWith(".js");

/** The folder in which the files of the program are, with a slash at its end. */
export const ownFolder: URL = new URL(madeOf?.tree ?? "../", import.meta.url);

/** The program, as a module that can be started. */
export const programModule: URL = new URL(isBundled ? "main/main.js" : "mp.ts", ownFolder);

/** The serving half, where it is bundled already. */
export const bundledReplica: URL | undefined = isBundled
  ? new URL("replica/replica.js", ownFolder)
  : undefined;
