/**
 * The files in the private folder of a tree of replicas.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type { ProcessManifest } from "./manifest.ts";

/** Makes the folder with the address book and the secret, and keeps them there. */
export class TreeFiles {
  /** What proves that a process belongs to this tree. */
  readonly secret: string = makeSecret();
  #paths: Pick<ProcessManifest, "folder" | "bookFile" | "secretFile">;
  #book: AddressBook;

  constructor(manifest: ProcessManifest) {
    this.#paths = manifest;
    this.#book = manifest.book;
  }

  /** Makes the folder and all files; only this user can enter it. @throws {MpError} `state_unwritable` */
  make(): void {
    const { folder, bookFile, secretFile } = this.#paths;
    try {
      Deno.mkdirSync(folder, { mode: 0o700 });
      write(secretFile, this.secret);
      write(bookFile, JSON.stringify(this.#book));
    } catch (error) {
      throw new MpError("state_unwritable", `Cannot write to ${folder}: ${messageOf(error)}`, {
        cause: error,
        next: "Make room, or set TMPDIR to a folder that can be written",
      });
    }
  }

  /** Makes again what a cleaner of temporary files has taken away. @throws {MpError} `state_unwritable` */
  restore(): void {
    const { folder, bookFile, secretFile } = this.#paths;
    if (!exists(folder)) return this.make();
    if (!exists(secretFile)) write(secretFile, this.secret);
    if (!exists(bookFile)) write(bookFile, JSON.stringify(this.#book));
  }

  /** Writes a new generation of the address book. */
  follow(book: AddressBook): void {
    this.#book = book;
    this.restore();
    write(this.#paths.bookFile, JSON.stringify(book));
  }

  /** Removes the folder. */
  remove(): void {
    try {
      Deno.removeSync(this.#paths.folder, { recursive: true });
    } catch {
      // it is gone already, or somebody else's by now
    }
  }
}

function makeSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A reader sees the old file or the new one, never a part. */
function write(path: string, text: string): void {
  Deno.writeTextFileSync(`${path}.new`, text, { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
