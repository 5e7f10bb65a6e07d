/**
 * What is used of the package `undici`, whose own types are those of Node.
 *
 * @module
 */

import type { Duplex } from "node:stream";

/** What came back. */
export interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** To be read, or destroyed; an error comes when the connection breaks. */
  readonly body: AsyncIterable<Uint8Array> & {
    destroy(error?: Error): void;
    on(event: "error", listener: (error: Error) => void): void;
  };
}

/** Connections to one server. */
export class Pool {
  constructor(origin: string, options: object);
  request(options: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
    readonly signal: AbortSignal;
  }): Promise<Response>;
  /** Rejects with `UND_ERR_SOCKET` when the server answers with something else. */
  upgrade(options: {
    readonly method: string;
    readonly path: string;
    readonly protocol: string;
    readonly headers: Readonly<Record<string, string>>;
  }): Promise<{ readonly socket: Duplex }>;
  destroy(): Promise<void>;
}
