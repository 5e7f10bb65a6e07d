/**
 * The system's sockets, with a way to wait until those that were closed are.
 *
 * @module
 */

import type { Connection } from "../../../runtime/peer/connection.ts";
import { type PeerListener, sockets, type Transport } from "../../../runtime/peer/transport.ts";

/** See {@linkcode settledSockets}. */
export interface SettledSockets extends Transport {
  /** Resolves when nothing is read any more: closing a socket ends its reads a turn later, or some. */
  settled(): Promise<void>;
}

/** The system's sockets; whoever closes them can wait until the system has. */
export function settledSockets(): SettledSockets {
  const reading = new Set<Promise<unknown>>();
  const watched = (conn: Connection): Connection => ({
    read(into) {
      const read = conn.read(into);
      const done = () => reading.delete(read);
      reading.add(read);
      read.then(done, done);
      return read;
    },
    write: (bytes) => conn.write(bytes),
    closeWrite: () => conn.closeWrite?.() ?? Promise.resolve(),
    close: () => conn.close(),
  });
  return {
    dial: async (address) => watched(await sockets.dial(address)),
    listen(address): PeerListener {
      const listener = sockets.listen(address);
      return {
        async *[Symbol.asyncIterator]() {
          for await (const conn of listener) yield watched(conn);
        },
        close: () => listener.close(),
      };
    },
    async settled() {
      while (reading.size > 0) await Promise.allSettled(reading);
    },
  };
}
