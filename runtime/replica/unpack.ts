/**
 * Files that are mounted compressed.
 *
 * @module
 */

import { join } from "node:path";

/**
 * The path of a file as it is to be read: a file that ends in `.gz` is unpacked to a temporary folder first.
 *
 * @param name Its name there.
 */
export async function unpacked(path: string, name: string): Promise<string> {
  if (!path.endsWith(".gz")) return path;
  const packed = await Deno.open(path);
  const bytes = packed.readable.pipeThrough(new DecompressionStream("gzip"));
  const file = join(await Deno.makeTempDir({ prefix: "mp-" }), name);
  await Deno.writeFile(file, bytes);
  return file;
}
