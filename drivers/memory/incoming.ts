/**
 * The listener of a replica that lives in this process.
 *
 * @module
 */

import type { Connection } from "../../runtime/peer/connection.ts";
import type { PeerListener } from "../../runtime/peer/transport.ts";

/** Connections that come in, read by one reader. */
export class Incoming implements PeerListener {
  #waiting: Connection[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #onClose: () => void;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  push(connection: Connection): void {
    this.#waiting.push(connection);
    this.#wake?.();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    for (const connection of this.#waiting.splice(0)) connection.close();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Connection> {
    while (!this.#closed) {
      const connection = this.#waiting.shift();
      if (connection !== undefined) yield connection;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
