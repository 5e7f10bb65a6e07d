/**
 * Where the program's own files lie: as modules of the source tree, or bundled, in the executable or in a
 * package that it has written out.
 *
 * ```text
 * the source tree          bundled
 *   main.ts, mod.ts, …       main/main.js, main/mod.js, … and what they share
 *   replica.ts               replica/replica.js, …
 *                            files/…, embedded.json
 * ```
 *
 * @module
 */

/** Whether this is bundled code. */
export const isBundled: boolean = import.meta.url.endsWith(".js");

/** The folder in which the files of the program are, with a slash at its end. */
export const ownFolder: URL = new URL("../", import.meta.url);

/** The program, as a module. */
export const programModule: URL = new URL(isBundled ? "./main.js" : "../main.ts", import.meta.url);

/** The serving half, where it is bundled already. */
export const bundledReplica: URL | undefined = isBundled
  ? new URL("../replica/replica.js", import.meta.url)
  : undefined;
