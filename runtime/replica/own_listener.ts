/**
 * The listening socket behind a `Deno.Listener` or `Deno.HttpServer`, for what Deno has no function for.
 * Linux only.
 *
 * @module
 */

import { withCLibrary } from "./c_library.ts";

const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** Where `struct tcp_info` has `tcpi_unacked`, which counts the queue of a socket that listens. */
const TCPI_UNACKED = 24;

const FUNCTIONS = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
} as const;

/**
 * The descriptor with which this process listens on a TCP port.
 *
 * @param port The port.
 * @param hostname The IP address, not a name.
 * @returns Nothing when there is none.
 */
export function ownListener(port: number, hostname: string): number | undefined {
  const host = addressBytes(hostname);
  if (host === undefined) return undefined;
  // struct sockaddr_in { u16 family; be16 port; u8 address[4]; }
  // struct sockaddr_in6 { u16 family; be16 port; u32 flow; u8 address[16]; }
  const offset = host.length === 4 ? 4 : 8;
  return withCLibrary(FUNCTIONS, ({ getsockname, getsockopt }) => {
    const name = new Uint8Array(28);
    const fields = new DataView(name.buffer);
    const flag = new Uint32Array(1);
    for (const descriptor of socketDescriptors()) {
      if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, bytes(flag), length(4)) !== 0) continue;
      if (flag[0] !== 1 || getsockname(descriptor, name, length(name.length)) !== 0) continue;
      if (fields.getUint16(2) !== port) continue;
      if (host.every((byte, i) => byte === name[offset + i])) return descriptor;
    }
    return undefined;
  });
}

/**
 * How many connections wait at a listening socket to be accepted.
 *
 * @param descriptor See {@linkcode ownListener}.
 */
export function waitingConnections(descriptor: number): number {
  const info = new Uint32Array(26);
  const result = withCLibrary(
    FUNCTIONS,
    ({ getsockopt }) => getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, bytes(info), length(104)),
  );
  return result === 0 ? info[TCPI_UNACKED / 4]! : 0;
}

const bytes = (words: Uint32Array<ArrayBuffer>) => new Uint8Array(words.buffer);
/** The in-out parameter for the length of a buffer. */
const length = (value: number) => bytes(new Uint32Array([value]));

function* socketDescriptors(): Iterable<number> {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("socket:")) yield Number(name);
    } catch {
      // closed meanwhile, as is the descriptor with which the folder itself is read
    }
  }
}

/** The bytes of an IP address in network order; nothing for what is no IP address. */
export function addressBytes(hostname: string): number[] | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(hostname)) {
    const parts = hostname.split(".").map(Number);
    return parts.every((part) => part <= 255) ? parts : undefined;
  }
  // the URL parser checks the address and writes it in one way: groups of hex digits, at most one "::"
  const url = URL.parse(`http://[${hostname}]/`);
  if (url === null) return undefined;
  const [before = [], after = []] = url.hostname.slice(1, -1).split("::")
    .map((groups) => groups === "" ? [] : groups.split(":"));
  const zeros = new Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}
