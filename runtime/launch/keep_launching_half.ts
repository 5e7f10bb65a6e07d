/**
 * Makes the launching half of a source tree.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { isBundled, type MadeOf, madeOf, ownFolder } from "../own_files.ts";
import { bundlerProgram, stopBundler, withBundler } from "../script/bundler.ts";
import { bundleEntries } from "./bundle_entries.ts";
import { keepBundle } from "./kept_bundle.ts";
import { keptLaunchingHalf, type LaunchingHalfOptions } from "./launching_half.ts";
import { findServingHalf } from "./serving_half.ts";

/**
 * Makes it for the processes to come, where this one runs from source for the second time at least: who has
 * just changed a source will do so again.
 *
 * @returns Whether it was made. That it cannot be made stops nobody, for the source tree runs as well.
 */
export async function keepLaunchingHalf(options: LaunchingHalfOptions = {}): Promise<boolean> {
  if (isBundled || madeOf !== undefined || ownFolder.protocol !== "file:") return false;
  const servingHalf = (await findServingHalf())?.folder;
  if (servingHalf === undefined) return false;
  try {
    await keepBundle(
      "what mp runs",
      await keptLaunchingHalf(options),
      (folder) =>
        withBundler(async () => {
          const esbuild = bundlerProgram();
          if (esbuild === undefined) throw new Error("esbuild was killed");
          const made: MadeOf = { tree: ownFolder.href, servingHalf, esbuild };
          await bundleEntries({
            root: fileURLToPath(ownFolder),
            entries: ["main.ts"],
            folder,
            minify: true,
            hideLazy: true,
            define: { MP_MADE_OF: made },
            sourceMaps: true,
          });
        }),
    );
    return true;
  } catch {
    return false;
  } finally {
    // nobody bundles any more, but with --watch, where it is started again
    await stopBundler();
  }
}
