/**
 * A replica within a test, which goes up and down when the test says so.
 *
 * @module
 */

import type { Channel, ChannelHandlers } from "../../../runtime/peer/channel.ts";
import type { Connection } from "../../../runtime/peer/connection.ts";
import { admit, type Credentials, type Hello } from "../../../runtime/peer/handshake.ts";
import { type End, pipe } from "./pipe.ts";

/** See the module's documentation. */
export class Leaf {
  up = true;
  /** Whether it accepts connections and then says nothing. */
  silent = false;
  dials = 0;
  readonly hellos: Hello[] = [];
  readonly ends: End[] = [];
  #channels: Channel[] = [];

  constructor(readonly handlers: ChannelHandlers, readonly credentials: Credentials) {}

  /** How connections to it are made. */
  readonly dial = (): Promise<Connection> => {
    this.dials++;
    if (!this.up) return Promise.reject(new Deno.errors.ConnectionRefused("refused"));
    const [near, far] = pipe();
    this.ends.push(far);
    if (!this.silent) {
      this.#channels.push(
        admit(far, { ...this.credentials, name: "leaf.0" }, (hello) => {
          this.hellos.push(hello);
          return this.handlers;
        }),
      );
    }
    return Promise.resolve(near);
  };

  /** How many connections are open. */
  get connections(): number {
    return this.ends.filter((end) => !end.closed).length;
  }

  /** Begins no more calls over the connections that there are. */
  last(): void {
    for (const channel of this.#channels) channel.last();
  }

  /** Ends all connections. */
  crash(): void {
    for (const channel of this.#channels) channel.close();
    for (const end of this.ends) if (!end.closed) end.close();
  }
}
