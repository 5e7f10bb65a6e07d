/**
 * Connects to names that several replicas share, such as those of a Service of Kubernetes.
 *
 * Each connection goes to the replica that has the fewest from here, so that all of them get calls, whatever the
 * order in which a name server tells them.
 *
 * @module
 */

import type { Address } from "../launch/address_book.ts";
import { parseAddress, tcpAddress } from "./address.ts";
import type { Connection } from "./connection.ts";
import type { Dial } from "./peer.ts";

/** Finds the addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/**
 * Makes a way to connect to shared names.
 *
 * @param dial Connects to one address.
 * @param resolve Default: as the system does.
 */
export function sharedDial(dial: Dial, resolve: Resolve = lookUp): Dial {
  const open = new Map<string, number>();
  const count = (key: string, by: number) => {
    const left = (open.get(key) ?? 0) + by;
    if (left > 0) open.set(key, left);
    else open.delete(key);
  };
  return async (address: Address): Promise<Connection> => {
    const parsed = parseAddress(address);
    if (parsed.transport === "unix") return await dial(address);
    const found = await resolve(parsed.hostname);
    const places = found.map((ip) => tcpAddress(ip, parsed.port));
    const least = Math.min(...places.map((place) => open.get(place) ?? 0));
    const free = places.filter((place) => (open.get(place) ?? 0) === least);
    const place = free[Math.floor(Math.random() * free.length)];
    if (place === undefined) throw new Error(`${parsed.hostname} has no address`);
    // counted before it is open, for several connect at once
    count(place, 1);
    try {
      return onClose(await dial(place), () => count(place, -1));
    } catch (error) {
      count(place, -1);
      throw error;
    }
  };
}

function onClose(connection: Connection, closed: () => void): Connection {
  let told = false;
  return {
    read: (into) => connection.read(into),
    write: (bytes) => connection.write(bytes),
    ...(connection.closeWrite && { closeWrite: () => connection.closeWrite!() }),
    close() {
      if (!told) closed();
      told = true;
      connection.close();
    },
  };
}

/** What the system's name service says, with its files and search domains. */
async function lookUp(hostname: string): Promise<readonly string[]> {
  // loaded by the few that need it
  const { lookup } = await import("node:dns/promises");
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
