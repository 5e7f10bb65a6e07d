/**
 * A port of this machine that leads to a port of a pod, by WebSockets through the API server.
 *
 * Each connection is a WebSocket of its own, whose messages begin with the number of a channel: 0 carries bytes,
 * 1 what went wrong. The first message of each names the port.
 *
 * @module
 */

import { messageOf, MpError } from "../../../runtime/errors.ts";
import { tcpAddress } from "../../../runtime/peer/address.ts";
import type { Address } from "../../../runtime/launch/address_book.ts";
import type { Connection } from "./connection.ts";
import { objectPath } from "./resources.ts";
import { openWebSocket, type Socket } from "./web_socket.ts";

/** Where a port leads. */
export interface ForwardTarget {
  readonly namespace: string;
  /** The pod; asked for anew for each connection, so that it may be another. */
  pod(): Promise<string>;
  readonly port: number;
}

/** A port of this machine that leads to a pod. */
export interface PortForward extends AsyncDisposable {
  readonly address: Address;
  /** Why the last connection could not be made. */
  readonly problem: MpError | undefined;
}

const PROTOCOL = "v4.channel.k8s.io";
const DATA = 0;
const ERROR = 1;

/** Opens a port on the loopback address. The first connection is tried at once, so that what is wrong is known. */
export async function portForward(
  connection: Connection,
  target: ForwardTarget,
): Promise<PortForward> {
  // a WebSocket that is used by the first who connects
  let ready: Promise<Socket> | undefined = open(connection, target);
  await ready;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connected = new Set<{ conn: Deno.Conn; socket?: Socket }>();
  const joined = new Set<Promise<void>>();
  let problem: MpError | undefined;
  const serve = async (conn: Deno.Conn) => {
    const pair: { conn: Deno.Conn; socket?: Socket } = { conn };
    connected.add(pair);
    try {
      const taken = ready ?? open(connection, target);
      ready = undefined;
      pair.socket = await taken;
      const said = await join(conn, pair.socket);
      if (said !== undefined) problem = failed(target, said);
    } catch (error) {
      problem = error instanceof MpError ? error : failed(target, messageOf(error));
    } finally {
      pair.socket?.close();
      close(conn);
      connected.delete(pair);
    }
  };
  const accepting = (async () => {
    try {
      for await (const conn of listener) {
        const done = serve(conn);
        joined.add(done);
        done.finally(() => joined.delete(done));
      }
    } catch {
      // it was closed
    }
  })();
  return {
    address: tcpAddress("127.0.0.1", listener.addr.port),
    get problem() {
      return problem;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      (await ready)?.close();
      for (const { conn, socket } of connected) {
        socket?.close();
        close(conn);
      }
      await accepting;
      await Promise.all(joined);
    },
  };
}

async function open(connection: Connection, target: ForwardTarget): Promise<Socket> {
  const name = await target.pod();
  const { namespace, port } = target;
  const path = objectPath({ apiVersion: "v1", kind: "Pod", name, namespace });
  return await openWebSocket(connection, `${path}/portforward?ports=${port}`, PROTOCOL);
}

/** Passes bytes on in both directions until one side ends. @returns What went wrong there. */
async function join(conn: Deno.Conn, socket: Socket): Promise<string | undefined> {
  let said: string | undefined;
  const begun = new Set<number>();
  const inward = (async () => {
    for await (const message of socket.messages) {
      const channel = message[0]!;
      if (!begun.has(channel)) {
        begun.add(channel);
        continue;
      }
      if (channel === ERROR) said = new TextDecoder().decode(message.subarray(1));
      if (channel === DATA) await writeAll(conn, message.subarray(1));
    }
    await conn.closeWrite().catch(() => {});
  })();
  const outward = (async () => {
    const buffer = new Uint8Array(32 * 1024);
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
      const message = new Uint8Array(count + 1);
      message[0] = DATA;
      message.set(buffer.subarray(0, count), 1);
      await socket.send(message);
    }
  })();
  // the protocol has no way to end one direction, so the other side ends both
  outward.catch(() => {});
  await inward.catch(() => {});
  return said;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function failed({ port }: ForwardTarget, why: string): MpError {
  return new MpError("cluster_unavailable", `Cannot reach port ${port} of a pod: ${why.trim()}`);
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // it is closed already
  }
}
