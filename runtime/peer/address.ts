/**
 * Sockets by address.
 *
 * @module
 */

import type { Address } from "../launch/address_book.ts";

/** An address in parts. */
export type ParsedAddress =
  | { readonly transport: "unix"; readonly path: string }
  | { readonly transport: "tcp"; readonly hostname: string; readonly port: number };

/** @throws {TypeError} For anything but `unix:PATH` and `tcp:HOST:PORT`. */
export function parseAddress(address: Address): ParsedAddress {
  if (address.startsWith("unix:")) return { transport: "unix", path: address.slice(5) };
  const match = /^tcp:(.+):(\d+)$/.exec(address);
  if (!match) {
    throw new TypeError(
      `Cannot read address ${JSON.stringify(address)}: use unix:PATH or tcp:HOST:PORT`,
    );
  }
  const hostname = match[1]!.replace(/^\[(.*)\]$/, "$1");
  return { transport: "tcp", hostname, port: Number(match[2]) };
}

/** The address of a TCP socket; IPv6 hosts come in brackets. */
export function tcpAddress(hostname: string, port: number): Address {
  return `tcp:${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** The same address at another host; a unix socket has none. */
export function atHost(address: Address, hostname: string): Address {
  const parsed = parseAddress(address);
  return parsed.transport === "unix" ? address : tcpAddress(hostname, parsed.port);
}

/** How long a host may take to accept; one that is gone does not even refuse. */
const DIAL_WITHIN = 5_000;

/** Connects to an address. */
export async function dial(address: Address): Promise<Deno.Conn> {
  const parsed = parseAddress(address);
  if (parsed.transport === "unix") return await Deno.connect(parsed);
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(tooSlow(parsed)), DIAL_WITHIN);
  try {
    const conn = await Deno.connect({ ...parsed, signal: giveUp.signal });
    conn.setNoDelay();
    return conn;
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow({ hostname, port }: { hostname: string; port: number }): Error {
  return new Deno.errors.TimedOut(`${hostname}:${port} did not accept within ${DIAL_WITHIN} ms`);
}

/** Listens at an address; a socket file that an ended process left behind is replaced. */
export function listen(address: Address): Deno.Listener {
  const parsed = parseAddress(address);
  if (parsed.transport === "tcp") return Deno.listen(parsed);
  try {
    Deno.removeSync(parsed.path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return Deno.listen(parsed);
}
