/**
 * What waits to be written to a connection. It leaves in as few writes as possible: what is added in the same turn
 * of the event loop, or while a write is under way, goes along.
 *
 * @module
 */

import type { Connection } from "./connection.ts";
import { afterTurn } from "./turn.ts";

const encoder = new TextEncoder();

/** The least and the most memory for bytes that is kept by a connection. */
const LEAST_KEPT = 4 * 1024;
const MOST_KEPT = 64 * 1024;

/** Options of {@linkcode Outbox}. */
export interface OutboxOptions {
  readonly connection: Connection;
  /** Called before what has been added by now is handed to the system. */
  readonly onLeaving: () => void;
  /** Called when it cannot be written. */
  readonly onError: (error: unknown) => void;
}

/** See the module's documentation. */
export class Outbox {
  #options: OutboxOptions;
  #text = "";
  #writing = false;
  #written: Promise<void> = Promise.resolve();
  /** Where text becomes bytes, as long as it is short. New memory for each write costs the collector dearly. */
  #buffer: Uint8Array | undefined;
  #closed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How much waits, in UTF-16 units. */
  get length(): number {
    return this.#text.length;
  }

  /**
   * Adds a line.
   *
   * @param alone Whether nothing else can be expected in this turn, so that waiting for its end would be for nothing.
   */
  add(line: string, alone: boolean): void {
    this.#text += line;
    if (this.#writing) return;
    this.#writing = true;
    this.#written = alone ? this.#drain() : new Promise<void>(afterTurn).then(() => this.#drain());
  }

  /** Resolves when everything that was added so far has been handed to the system, or the outbox is closed. */
  async flush(): Promise<void> {
    while (this.#writing && !this.#closed) await this.#written;
  }

  /** Writes nothing more. */
  close(): void {
    this.#closed = true;
  }

  /** Bytes that hold until the next call. */
  #encode(text: string): Uint8Array {
    // a UTF-16 unit has three bytes at most
    const most = text.length * 3;
    if (most > MOST_KEPT) return encoder.encode(text);
    if (this.#buffer === undefined || this.#buffer.length < most) {
      this.#buffer = new Uint8Array(Math.max(LEAST_KEPT, 2 ** Math.ceil(Math.log2(most))));
    }
    const { written } = encoder.encodeInto(text, this.#buffer);
    return this.#buffer.subarray(0, written);
  }

  async #drain(): Promise<void> {
    const { connection, onLeaving, onError } = this.#options;
    await undefined; // what is sent along with it goes along
    try {
      while (this.#text !== "" && !this.#closed) {
        const bytes = this.#encode(this.#text);
        this.#text = "";
        onLeaving();
        let written = await connection.write(bytes);
        while (written < bytes.length) written += await connection.write(bytes.subarray(written));
      }
    } catch (error) {
      onError(error);
    } finally {
      this.#writing = false;
    }
  }
}
