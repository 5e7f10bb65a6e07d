/**
 * The program as a package that Deno can run and import.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EMBEDDED, type Embedded, embedded, readEmbedded } from "../embedded.ts";
import { ownFolder } from "../own_files.ts";

/**
 * The texts of its files, by path; nothing where `mp` runs from source.
 *
 * @throws {Error} When they cannot be read.
 */
export async function packageFiles(): Promise<Record<string, string> | undefined> {
  const own = embedded();
  if (own === undefined) return undefined;
  // this is one already
  if (own.package === undefined) return Object.fromEntries(await textsIn(fileURLToPath(ownFolder)));
  const text = new Blob([readEmbedded(own.package)]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return {
    ...await new Response(text).json() as Record<string, string>,
    [EMBEDDED]: JSON.stringify({ ...own, package: undefined } satisfies Embedded),
  };
}

async function textsIn(folder: string, at = ""): Promise<[path: string, text: string][]> {
  const texts: [string, string][] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(folder, at))) {
    const path = at === "" ? name : `${at}/${name}`;
    if (isDirectory) texts.push(...await textsIn(folder, path));
    else texts.push([path, await Deno.readTextFile(join(folder, path))]);
  }
  return texts;
}
