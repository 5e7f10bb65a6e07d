/**
 * Digests of large files, kept as long as the files stay as they are.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { cacheFolders } from "../../runtime/user_folders.ts";

/** From which size on a digest is worth keeping. */
const LARGE = 1 << 20;

/** The SHA-256 of a file, in hex. */
export async function digestOf(path: string): Promise<string> {
  const { size, mtime, ino, dev } = await Deno.stat(path);
  if (size < LARGE) return await compute(path);
  const key = createHash("sha256").update(`${path} ${size} ${mtime?.getTime()} ${dev}:${ino}`)
    .digest("hex");
  const files = cacheFolders("digests").map((folder) => join(folder, key));
  for (const file of files) {
    const kept = await Deno.readTextFile(file).catch(() => "");
    if (/^[0-9a-f]{64}$/.test(kept)) return kept;
  }
  const digest = await compute(path);
  for (const file of files) {
    try {
      await Deno.mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await Deno.writeTextFile(file, digest, { mode: 0o600 });
      break;
    } catch {
      // it is computed again the next time
    }
  }
  return digest;
}

async function compute(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const piece = new Uint8Array(1 << 20);
  for (;;) {
    const count = await file.read(piece);
    if (count === null) return hash.digest("hex");
    hash.update(piece.subarray(0, count));
  }
}
