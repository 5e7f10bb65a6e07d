/**
 * A leaf's share of the corpus.
 *
 * @module
 */

import * as mp from "@metaparticle/mp";
import { listFiles, readText } from "./corpus.ts";
import { InvertedIndex } from "./inverted_index.ts";

/** How many files a line of the log names. */
const NAMED = 5;

/** Whether a file belongs to a leaf. All leaves decide alike, so each file belongs to exactly one. */
export function isOwn(file: string, { index, count }: { index: number; count: number }): boolean {
  return mp.shardOf(file, count) === index;
}

/**
 * Reads and indexes the files of a folder that belong to a leaf.
 *
 * @throws {Error} When the folder cannot be read. Files that cannot be read are left out, and named in the log.
 */
export async function indexShare(folder: string, replica: mp.ReplicaInfo): Promise<InvertedIndex> {
  const index = new InvertedIndex();
  const leftOut: string[] = [];
  for await (const file of listFiles(folder)) {
    if (!isOwn(file, replica)) continue;
    const result = await readText(`${folder}/${file}`);
    if (result.kind === "text") index.add(file, result.text);
    else leftOut.push(`${file} (${result.kind === "binary" ? "no text" : result.why})`);
  }
  console.log(`indexed ${index.documents.length} files with ${index.words} words`);
  if (leftOut.length > 0) console.warn(`left out ${enumerate(leftOut)}`);
  return index;
}

function enumerate(names: readonly string[]): string {
  const more = names.length - NAMED;
  return names.slice(0, NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
