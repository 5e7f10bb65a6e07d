/**
 * The address of a door as callers write it.
 *
 * @module
 */

import type { Address } from "../launch/address_book.ts";
import { parseAddress } from "../peer/address.ts";

/** The URL of a door; one that listens on every address is reached at the loopback one. */
export function doorUrl(door: Address): string {
  const address = parseAddress(door);
  if (address.transport === "unix") return door;
  const { hostname, port } = address;
  const host = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
