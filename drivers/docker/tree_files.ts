/**
 * What the volume of a tree holds: address book, secret, users, and what its next launcher needs to know.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type { DeploymentNote } from "../../runtime/launch/driver.ts";
import { putFiles } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { engineFault } from "./engine_faults.ts";
import { PLACES, USER } from "./manifest.ts";

/** What is put there. */
export interface TreeFiles {
  readonly book: AddressBook;
  readonly note?: DeploymentNote;
  /** Only at first. */
  readonly secret?: string;
  /** A file of this machine, only at first. */
  readonly usersFile?: string;
}

/**
 * Puts files into the volume, through a container that has it and need not run.
 *
 * @throws {MpError} `usage` when the users cannot be read; `launch_failed`.
 */
export async function putTreeFiles(
  engine: Engine,
  container: string,
  { book, note, secret, usersFile }: TreeFiles,
  signal?: AbortSignal,
): Promise<void> {
  const file = (path: string, content: string | undefined) =>
    content === undefined ? [] : [{
      path: path.slice(path.lastIndexOf("/") + 1),
      content,
      owner: USER,
      mode: 0o400,
    }];
  const users = usersFile === undefined ? undefined : await readUsers(usersFile);
  try {
    await putFiles(engine, container, PLACES.run, [
      ...file(PLACES.book, JSON.stringify(book)),
      ...file(PLACES.note, note && JSON.stringify(note)),
      ...file(PLACES.secret, secret),
      ...file(PLACES.users, users),
    ], signal);
  } catch (error) {
    throw engineFault("hand out the address book", error);
  }
}

async function readUsers(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new MpError("usage", `Cannot read the users in "${path}": ${messageOf(error)}`, {
      cause: error,
      where: "MP_AUTH_USERS",
    });
  }
}

/** A secret that only the replicas of one tree know. */
export function makeSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
