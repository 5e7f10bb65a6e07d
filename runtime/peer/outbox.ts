/**
 * What waits to be written to a connection. It leaves in as few writes as possible: what is added in the same turn
 * of the event loop, or while a write is under way, goes along.
 *
 * @module
 */

import type { Connection } from "./connection.ts";
import { afterTurn } from "./turn.ts";

const encoder = new TextEncoder();

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

  async #drain(): Promise<void> {
    const { connection, onLeaving, onError } = this.#options;
    await undefined; // what is sent along with it goes along
    try {
      while (this.#text !== "" && !this.#closed) {
        const bytes = encoder.encode(this.#text);
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
