/**
 * Ends connections over which nothing is answered: those that nobody uses, and those of callers that take
 * for ever to send a request or to read an answer. Deno's server keeps them until the caller leaves.
 *
 * @module
 */

import { type DoorConnection, eachConnection } from "./door_connections.ts";

/** What is known of a connection from one look to the next. */
interface Watched {
  /** When it began to be idle, or the request to arrive that is not answered yet. */
  since: number;
  /** Whether something has come since something was last sent. */
  asked: boolean;
}

/** How connections are looked at. For tests. */
export interface IdleConnectionsOptions {
  readonly each?: (port: number, look: (connection: DoorConnection) => void) => void;
  readonly now?: () => number;
}

/** The connections of a port; to be looked at now and then. */
export class IdleConnections {
  #port: number;
  #idleFor: number;
  #each: NonNullable<IdleConnectionsOptions["each"]>;
  #now: () => number;
  #watched = new Map<number, Watched>();
  #lastLook = -Infinity;

  /**
   * @param idleFor For how long nothing may be answered, in milliseconds, from when the last answer was sent
   * or the next request began to come: longer than any answer takes.
   */
  constructor(port: number, idleFor: number, options: IdleConnectionsOptions = {}) {
    this.#port = port;
    this.#idleFor = idleFor;
    this.#each = options.each ?? eachConnection;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Ends those that are idle. @returns How many. */
  look(): number {
    const now = this.#now();
    const elapsed = now - this.#lastLook;
    const before = this.#watched;
    this.#watched = new Map();
    this.#lastLook = now;
    let ended = 0;
    this.#each(this.#port, (connection) => {
      const { descriptor, sent, received } = connection;
      let watched = before.get(descriptor);
      if (watched === undefined || sent <= elapsed) {
        // it is new, or was used since the last look
        watched = { since: now, asked: received < sent };
      } else if (!watched.asked && received <= elapsed) {
        watched = { since: now, asked: true };
      } else if (now - watched.since > this.#idleFor) {
        connection.end();
        ended++;
        return;
      }
      this.#watched.set(descriptor, watched);
    });
    return ended;
  }
}
