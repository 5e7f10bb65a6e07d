/**
 * What is used of the package `mysql2`. Its own types bring those of Node, which do not go together with Deno's.
 *
 * @module
 */

/** An error of the server (`errno` from 1000 on), or of the connection (`fatal`). */
export interface MysqlError extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly fatal?: boolean;
}

/** A connection of a pool. */
export interface MysqlConnection {
  /** Sends statements; several give one result for each. */
  query(sql: string, done: (error: MysqlError | null, results: unknown) => void): unknown;
  release(): void;
  /** Closes it at once; what is under way is never answered. */
  destroy(): void;
}

/** Connections that are used again. */
export interface MysqlPool {
  getConnection(done: (error: MysqlError | null, connection: MysqlConnection) => void): void;
  end(done: (error: MysqlError | null) => void): void;
  on(event: "connection", listener: (connection: MysqlConnection) => void): unknown;
}

export function createPool(options: object): MysqlPool;

/** A value as an SQL literal, between quotes. */
export function escape(value: string): string;
