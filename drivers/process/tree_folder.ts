/**
 * The private folder of a tree of replicas: its sockets, its secret and its address book.
 *
 * It lies in the system's folder for temporary files and not in `$XDG_RUNTIME_DIR`, which goes when its
 * user logs out, whereas a detached deployment stays.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";

const PREFIX = "mp-";
/** The socket of the launcher in the folder; see the manifest. */
const SUPERVISOR = "s";
/** What the system can hold of a socket's path, without the closing zero; 103 on macOS and the BSDs. */
const LONGEST_SOCKET = 103;

/**
 * Makes the folder; only this user can enter it.
 *
 * @throws {MpError} `state_unwritable`
 */
export async function makeTreeFolder(): Promise<string> {
  try {
    const folder = await Deno.makeTempDir({ prefix: PREFIX });
    if (fits(folder)) return folder;
    // a long TMPDIR is no reason to fail where the usual place is open
    await Deno.remove(folder);
    return await Deno.makeTempDir({ prefix: PREFIX, dir: "/tmp" });
  } catch (error) {
    throw new MpError(
      "state_unwritable",
      `Cannot make a folder for sockets: ${error instanceof Error ? error.message : error}`,
      { cause: error, next: "Set TMPDIR to a folder that can be written and has a short name" },
    );
  }
}

function fits(folder: string): boolean {
  const longest = "/100000.p".length;
  return Deno.build.os === "windows" ||
    new TextEncoder().encode(folder).length + longest <= LONGEST_SOCKET;
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
    try {
      (await Deno.connect({ transport: "unix", path: `${other}/${SUPERVISOR}` })).close();
    } catch (error) {
      // the file of a socket at which nobody listens; a folder without one belongs to a launcher that starts
      if (!(error instanceof Deno.errors.ConnectionRefused)) continue;
      await Deno.remove(other, { recursive: true }).catch(() => {});
    }
  }
}
