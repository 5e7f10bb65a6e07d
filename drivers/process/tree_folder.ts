/**
 * The private folder of a tree of replicas: its sockets, its secret and its address book.
 *
 * It lies in the system's folder for temporary files and not in `$XDG_RUNTIME_DIR`, which goes when its
 * user logs out, whereas a detached deployment stays.
 *
 * @module
 */

import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "mp-tree-";
/** The socket of the launcher in the folder; see the manifest. */
const SUPERVISOR = "s";
/** What systems can hold of a socket's path, at least; Linux holds 107 bytes. */
const LONGEST_SOCKET = 103;
/** Between its making and its listening a socket looks deserted; that is over within this time, in milliseconds. */
const STARTING = 60_000;
const LONGEST_NAME = "/100000.p";

/** A name for a folder, which nobody can guess before it is made. */
export function nameTreeFolder(): string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  const name = PREFIX + Array.from(random, (word) => word.toString(36)).join("");
  const folder = join(tmpdir(), name);
  const length = new TextEncoder().encode(folder + LONGEST_NAME).length;
  // a long TMPDIR is no reason to fail where the usual place is open
  return Deno.build.os === "windows" || length <= LONGEST_SOCKET ? folder : `/tmp/${name}`;
}

/**
 * Removes the folders of launchers that were killed before they could do it themselves.
 *
 * @param folder One folder of a tree, beside which others are looked for.
 */
export async function removeStaleFolders(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const parent = folder.slice(0, folder.lastIndexOf("/"));
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    const other = `${parent}/${name}`;
    if (!isDirectory || !name.startsWith(PREFIX) || other === folder) continue;
    if (await isDeserted(`${other}/${SUPERVISOR}`)) {
      await Deno.remove(other, { recursive: true }).catch(() => {});
    }
  }
}

/** Whether a socket's file is there and nobody listens; a launcher that starts has none, or a new one. */
async function isDeserted(path: string): Promise<boolean> {
  try {
    const { mtime } = await Deno.stat(path);
    if (mtime === null || Date.now() - mtime.getTime() < STARTING) return false;
    (await Deno.connect({ transport: "unix", path })).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}
