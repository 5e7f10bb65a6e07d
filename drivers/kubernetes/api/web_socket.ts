/**
 * WebSockets with certificates of one's own, which the platform's have not. Loaded when it is needed.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { feed } from "../../../runtime/launch/feed.ts";
import type { TlsOptions } from "./connection.ts";

/** A WebSocket that is open. */
export interface Socket {
  readonly messages: AsyncIterable<Uint8Array>;
  send(message: Uint8Array): Promise<void>;
  close(): void;
}

/** A server that answered with something else. */
export interface Refused extends Error {
  readonly status: number;
  readonly body: string;
}

/** Options of {@linkcode openWebSocket}. */
export interface WebSocketOptions {
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
}

/** Opens a WebSocket. @throws {Refused | Error} */
export async function openWebSocket(
  url: URL,
  { protocol, headers, tls }: WebSocketOptions,
): Promise<Socket> {
  const { WebSocket } = await import("./web_socket_library.ts");
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const messages = feed<Uint8Array>({ most: Infinity });
  // from the first message on, whoever reads when
  const read = messages.read();
  const socket = new WebSocket(url.href, [protocol], { headers: { ...headers }, ...tls });
  socket.on("open", () =>
    resolve({
      messages: read,
      send: (message) =>
        new Promise((sent, failed) =>
          socket.send(message, (error) => error ? failed(error) : sent())
        ),
      close: () => socket.close(),
    }));
  socket.on("message", (data: Buffer) => messages.put(new Uint8Array(data)));
  socket.on("close", () => messages.end());
  socket.on("error", (error) => {
    reject(error);
    messages.end();
  });
  socket.on("unexpected-response", async (_request: unknown, response: IncomingMessage) => {
    let body = "";
    for await (const chunk of response) body += String(chunk);
    const refused = Object.assign(new Error(`status ${response.statusCode}`), {
      status: response.statusCode ?? 0,
      body,
    });
    reject(refused);
    socket.terminate();
  });
  return await promise;
}
