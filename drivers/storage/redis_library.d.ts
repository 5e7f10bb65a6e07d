/**
 * What is used of the package `redis`. Its own types bring those of Node, which do not go together with Deno's.
 *
 * @module
 */

/** A connection to one server. */
export interface RedisClient {
  connect(): Promise<unknown>;
  destroy(): void;
  sendCommand(args: readonly string[]): Promise<unknown>;
  on(event: "error", listener: (error: unknown) => void): unknown;
}

/** Connections to the servers of a cluster. */
export interface RedisCluster {
  connect(): Promise<unknown>;
  destroy(): void;
  sendCommand(
    key: string | undefined,
    readOnly: boolean,
    args: readonly string[],
  ): Promise<unknown>;
  on(event: "error" | "node-error", listener: (error: unknown) => void): unknown;
  readonly masters: readonly RedisNode[];
  nodeClient(node: RedisNode): RedisClient | Promise<RedisClient>;
}

/** A server of a cluster. */
export interface RedisNode {
  readonly address: string;
}

export function createClient(options: object): RedisClient;
export function createCluster(options: object): RedisCluster;

/** An error with which a server answered. */
export class ErrorReply extends Error {}
