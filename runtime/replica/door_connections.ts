/**
 * The connections of a door, as far as the kernel knows them and Deno's server has no function for them:
 * how long nothing was sent or received over one, and how to end it. Linux only; elsewhere there are none.
 *
 * So nothing has to be noted for a request, and there is no timer for a connection.
 *
 * @module
 */

import { withCLibrary } from "./c_library.ts";

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** Of `struct tcp_info`: the state, and the milliseconds since data was sent and received. */
const TCPI_STATE = 0;
const TCPI_LAST_DATA_SENT = 44;
const TCPI_LAST_DATA_RECEIVED = 52;
const TCP_LISTEN = 10;
const SHUT_RD = 0;
const SHUT_RDWR = 2;

const FUNCTIONS = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
} as const;

/** A connection that this process has accepted. */
export interface DoorConnection {
  readonly descriptor: number;
  /** The caller's port. */
  readonly callerPort: number;
  /** How long ago something was sent, or it was accepted, in milliseconds. */
  readonly sent: number;
  /** How long ago something was received, or it was accepted, in milliseconds. */
  readonly received: number;
  /** Ends it: all of it, or what the caller sends. */
  end(what?: "all" | "receiving"): void;
}

/** Whether the system tells about connections. */
export const countsConnections = Deno.build.os === "linux";

/**
 * Looks at every connection to a port of this process. What is to be done with them is done at once, before
 * their descriptors can mean something else.
 */
export function eachConnection(port: number, look: (connection: DoorConnection) => void): void {
  if (!countsConnections) return;
  withCLibrary(FUNCTIONS, ({ getsockname, getpeername, getsockopt, shutdown }) => {
    const name = new Uint8Array(28);
    const nameFields = new DataView(name.buffer);
    const info = new Uint8Array(104);
    const infoFields = new DataView(info.buffer);
    const length = new Uint32Array(1);
    const lengthBytes = new Uint8Array(length.buffer);
    const portOf = (of: typeof getsockname, descriptor: number): number => {
      length[0] = name.length;
      return of(descriptor, name, lengthBytes) === 0 ? nameFields.getUint16(2) : -1;
    };
    for (const { name: entry } of Deno.readDirSync("/proc/self/fd")) {
      const descriptor = Number(entry);
      length[0] = info.length;
      // what is no TCP socket has none of this
      if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, info, lengthBytes) !== 0) continue;
      if (length[0]! < TCPI_LAST_DATA_RECEIVED + 4 || info[TCPI_STATE] === TCP_LISTEN) continue;
      const sent = infoFields.getUint32(TCPI_LAST_DATA_SENT, true);
      const received = infoFields.getUint32(TCPI_LAST_DATA_RECEIVED, true);
      if (portOf(getsockname, descriptor) !== port) continue;
      look({
        descriptor,
        callerPort: portOf(getpeername, descriptor),
        sent,
        received,
        end: (what) => void shutdown(descriptor, what === "receiving" ? SHUT_RD : SHUT_RDWR),
      });
    }
  });
}
