/**
 * What is used of the package `ws`. It has no types of its own.
 *
 * @module
 */

/** A WebSocket of a client. */
export class WebSocket {
  constructor(url: string, protocols: readonly string[], options: object);
  on(event: "open" | "close", listener: () => void): this;
  // deno-lint-ignore no-explicit-any -- a Buffer, by another package's types
  on(event: "message", listener: (data: any) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  // deno-lint-ignore no-explicit-any -- Node's own request and response
  on(event: "unexpected-response", listener: (request: any, response: any) => void): this;
  send(data: Uint8Array, sent: (error?: Error) => void): void;
  close(): void;
  terminate(): void;
}
