/**
 * How a door moves from one replica to another without a call that fails.
 *
 * The old and the new replica listen on the same port (`SO_REUSEPORT`), and the new one attaches a
 * program to the group of listeners that sends every new connection to itself. The old one goes on
 * accepting what was queued at its own listener before, and closes it when nothing waits there any
 * more: closing a listener resets the connections in its queue.
 *
 * @module
 */

import { withCLibrary } from "./c_library.ts";
import { ownListener, waitingConnections } from "./own_listener.ts";

const SOL_SOCKET = 1;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const BPF_RET = 0x06;

/**
 * The place of the newer one of two listeners. The kernel keeps them in the order in which they began to
 * listen; a place that nobody has, after the older one has closed, makes it choose among those that are
 * left. There are never three: a port is taken over again only when the older listener has closed.
 */
const SECOND = 1;

/**
 * Steers all new connections of a port to the listener of this process, which has just begun to listen
 * with `reusePort` beside an older one.
 *
 * @param port The port.
 * @param hostname The IP address on which this process listens, not a name.
 * @returns Whether that is done; `false` where the system cannot.
 */
export function takeOverPort(port: number, hostname: string): boolean {
  if (Deno.build.os !== "linux") return false;
  const descriptor = ownListener(port, hostname);
  return descriptor !== undefined && steer(descriptor, SECOND);
}

/**
 * How many connections wait for this process to accept them. A door that was taken over closes when
 * none do.
 *
 * @param port The port.
 * @param hostname The IP address on which this process listens, not a name.
 * @returns 0 where the system does not tell.
 */
export function waitingAt(port: number, hostname: string): number {
  if (Deno.build.os !== "linux") return 0;
  const descriptor = ownListener(port, hostname);
  return descriptor === undefined ? 0 : waitingConnections(descriptor);
}

function steer(descriptor: number, place: number): boolean {
  // struct sock_filter { u16 code; u8 jt, jf; u32 k; }: return k
  const program = new Uint8Array(8);
  const filter = new DataView(program.buffer);
  filter.setUint16(0, BPF_RET, true);
  filter.setUint32(4, place, true);
  // struct sock_fprog { u16 length; struct sock_filter *filter; }
  const option = new Uint8Array(16);
  const fields = new DataView(option.buffer);
  fields.setUint16(0, 1, true);
  fields.setBigUint64(8, Deno.UnsafePointer.value(Deno.UnsafePointer.of(program)), true);
  const result = withCLibrary(
    { setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" } },
    ({ setsockopt }) =>
      setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, option, option.length),
  );
  return result === 0;
}
