/**
 * The files beside a script that replicas read, as a layer of their image.
 *
 * @module
 */

import { join } from "node:path";
import { messageOf, MpError } from "../../runtime/errors.ts";
import { PLACES, type ScriptFiles } from "./manifest.ts";
import type { TarEntry } from "./tar.ts";

/**
 * The entries of the layer, in order. Links are followed.
 *
 * @throws {MpError} `launch_failed` for what cannot be read.
 */
export async function scriptEntries(files: ScriptFiles | undefined): Promise<TarEntry[]> {
  const { folder, paths } = files ?? { folder: "", paths: [] };
  const entries: TarEntry[] = [];
  const add = async (path: string): Promise<void> => {
    const file = join(folder, path);
    const { isDirectory, isFile, mode } = await Deno.stat(file);
    const at = `${PLACES.app.slice(1)}/${path}`;
    if (isFile) {
      const executable = ((mode ?? 0) & 0o111) !== 0;
      entries.push({ path: at, content: { file }, mode: executable ? 0o755 : 0o644 });
    }
    if (!isDirectory) return;
    entries.push({ path: `${at}/` });
    const names = await Array.fromAsync(Deno.readDir(file), ({ name }) => name);
    for (const name of names.sort()) await add(`${path}/${name}`);
  };
  for (const path of paths) {
    try {
      await add(path);
    } catch (error) {
      throw new MpError("launch_failed", `Cannot take "${path}" along: ${messageOf(error)}`, {
        cause: error,
        where: "mp.files()",
      });
    }
  }
  return entries;
}
