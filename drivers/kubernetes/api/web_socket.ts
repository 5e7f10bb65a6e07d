/**
 * WebSockets to an API server, with its certificates and credentials. The frames are those of the package `ws`,
 * which is loaded when it is needed; the platform's own WebSockets have no certificates.
 *
 * @module
 */

import { feed } from "../../../runtime/launch/feed.ts";
import type { Connection } from "./connection.ts";

/** A WebSocket that is open. */
export interface Socket {
  readonly messages: AsyncIterable<Uint8Array>;
  send(message: Uint8Array): Promise<void>;
  close(): void;
}

/** Opens a WebSocket. @throws {MpError} Whatever {@linkcode Connection.upgrade} throws. */
export async function openWebSocket(
  connection: Connection,
  path: string,
  protocol: string,
): Promise<Socket> {
  const { Receiver, Sender } = await import("./web_socket_library.ts");
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const socket = await connection.upgrade(path, {
    protocol: "websocket",
    headers: {
      "sec-websocket-key": key,
      "sec-websocket-version": "13",
      "sec-websocket-protocol": protocol,
    },
  });
  const messages = feed<Uint8Array>({ most: Infinity });
  // from the first message on, whoever reads when
  const read = messages.read();
  const sender = new Sender(socket, {});
  const receiver = new Receiver({ isServer: false });
  const end = () => {
    messages.end();
    socket.destroy();
  };
  receiver.on("message", (data: Uint8Array) => messages.put(new Uint8Array(data)));
  receiver.on("ping", (data: Uint8Array) => sender.pong(data, true, () => {}));
  receiver.on("conclude", end);
  receiver.on("error", end);
  socket.on("error", end);
  socket.on("close", end);
  socket.pipe(receiver);
  return {
    messages: read,
    send: (message) =>
      new Promise((sent, failed) => {
        const options = { binary: true, fin: true, mask: true, compress: false };
        sender.send(message, options, (error) => error ? failed(error) : sent());
      }),
    close: () => {
      if (!socket.destroyed) sender.close(1000, "", true, end);
    },
  };
}
