/**
 * Follows an address book that others keep in a file.
 *
 * @module
 */

import type { AddressBook } from "../launch/address_book.ts";

/** Options of {@linkcode followBook}. */
export interface FollowOptions {
  /** The revision of the replica; books of others are not its own. */
  readonly revision: string;
  /** Gets each new generation. */
  readonly onBook: (book: AddressBook) => void;
  readonly signal: AbortSignal;
  /** How often to look, in milliseconds. Default: 1,000. */
  readonly every?: number;
}

/**
 * Looks at the file again and again. Files in volumes and mounts are replaced in ways of which no system
 * tells everywhere, so it is looked at rather than watched.
 *
 * @param path The file. It may be absent, or half written, for a while.
 */
export function followBook(path: string, options: FollowOptions): void {
  const { revision, onBook, signal, every = 1_000 } = options;
  let seen = "";
  let generation = 0;
  let busy = false;
  const look = async () => {
    const { mtime, ctime, size, ino } = await Deno.stat(path);
    const now = `${ino} ${size} ${mtime?.getTime()} ${ctime?.getTime()}`;
    if (now === seen) return;
    const book = JSON.parse(await Deno.readTextFile(path)) as AddressBook;
    // only a book that is whole counts as seen
    seen = now;
    if (book.revision !== revision || !(book.generation > generation) || signal.aborted) return;
    generation = book.generation;
    onBook(book);
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    // what cannot be read now is looked at again
    look().catch(() => {}).finally(() => busy = false);
  }, every);
  // whoever follows a book runs for other reasons
  Deno.unrefTimer(timer);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
