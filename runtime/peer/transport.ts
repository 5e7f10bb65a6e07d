/**
 * What carries connections between replicas: sockets, or their like in one process.
 *
 * @module
 */

import type { Address } from "../launch/address_book.ts";
import { dial, listen } from "./address.ts";
import type { Connection } from "./connection.ts";

/** Connections that come in, until it is closed. */
export interface PeerListener extends AsyncIterable<Connection> {
  close(): void;
}

/** How replicas reach each other. */
export interface Transport {
  dial(address: Address): Promise<Connection>;
  listen(address: Address): PeerListener;
}

/** The sockets of the system. */
export const sockets: Transport = Object.freeze({ dial, listen });
