/**
 * What is used of the package `ws`. It has no types of its own.
 *
 * @module
 */

import type { Duplex, Writable } from "node:stream";

/** Reads the frames that are written to it: emits `message`, `ping`, `conclude` and `error`. */
export class Receiver extends Writable {
  constructor(options: { readonly isServer: boolean });
}

/** Writes frames to a connection. */
export class Sender {
  constructor(socket: Duplex, extensions: object);
  send(
    data: Uint8Array,
    options: {
      readonly binary: boolean;
      readonly fin: boolean;
      readonly mask: boolean;
      readonly compress: boolean;
    },
    sent: (error?: Error | null) => void,
  ): void;
  pong(data: Uint8Array, mask: boolean, sent: () => void): void;
  close(code: number, reason: string, mask: boolean, sent: () => void): void;
}
