/**
 * Connections to a MySQL or MariaDB server.
 *
 * @module
 */

import { messageOf } from "../../runtime/errors.ts";
import type { MysqlConfig } from "../../runtime/storage/storage_config.ts";
import type { MysqlConnection, MysqlError, MysqlPool } from "./mysql_library.d.ts";

/** How many requests are under way at once; others wait. */
const CONNECTIONS = 8;
/** How long making a connection may take, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;
/** How long the server waits for a lock, in seconds, before it says so. */
const LOCK_TIMEOUT = 5;

/**
 * What a connection is told first. A mode of the server's owner could give backslashes another meaning than the escaper
 * takes them to have, or cut off what is too long; both are set.
 */
const SETUP = [
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  `SET SESSION innodb_lock_wait_timeout = ${LOCK_TIMEOUT}`,
  "SET SESSION autocommit = 1",
  "SET SESSION group_concat_max_len = 1000000",
].join("; ");

/** A connection that is of no use any more: nobody knows what became of what was sent. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** There was no connection to send anything over. */
export class NotConnected extends Error {
  override readonly name = "NotConnected";
}

/** Open connections. */
export interface MysqlLink {
  /** The longest request, in bytes. */
  readonly maxPacket: number;
  /** A value as an SQL literal. */
  escape(value: string): string;
  /**
   * Sends statements in one request. When one of them fails, what they began is undone.
   *
   * @returns The results, one for each statement.
   * @throws {NotConnected} When nothing was sent.
   * @throws {NoAnswer} When it was sent and not answered; otherwise what the server said.
   */
  query(sql: string, signal: AbortSignal | undefined): Promise<unknown[]>;
  end(): Promise<void>;
}

/** Connects; the library is loaded by whoever uses MySQL. */
export async function connectMysql(config: MysqlConfig, signal: AbortSignal): Promise<MysqlLink> {
  const library = await import("./mysql_library.ts");
  const pool = library.createPool(poolOptions(config));
  pool.on("connection", (connection) => {
    connection.query(SETUP, (error) => error && connection.destroy());
  });
  const query = queryOf(pool, config.timeout);
  try {
    const [rows] = await query("SELECT @@max_allowed_packet; DO 0", signal) as [[[number]]];
    return { maxPacket: rows[0][0], escape: library.escape, query, end: () => endPool(pool) };
  } catch (error) {
    await endPool(pool);
    throw error;
  }
}

function poolOptions({ host, port, user, password, database, socketPath, tls }: MysqlConfig) {
  return {
    ...(socketPath === undefined ? { host, port } : { socketPath }),
    user,
    password,
    database,
    charset: "utf8mb4_bin",
    multipleStatements: true,
    rowsAsArray: true,
    connectionLimit: CONNECTIONS,
    connectTimeout: CONNECT_TIMEOUT,
    enableKeepAlive: true,
    ...(tls !== false && { ssl: { rejectUnauthorized: tls === true } }),
  };
}

const endPool = (pool: MysqlPool) => new Promise<void>((resolve) => pool.end(() => resolve()));

function queryOf(pool: MysqlPool, timeout: number): MysqlLink["query"] {
  return async (sql, signal) => {
    const connection = await takeConnection(pool, signal);
    try {
      const results = await answer(connection, sql, timeout, signal);
      connection.release();
      return results as unknown[];
    } catch (error) {
      if (error instanceof NoAnswer) {
        connection.destroy();
      } else {
        // the next one must not find a transaction open
        connection.query(
          "ROLLBACK",
          (failed) => failed ? connection.destroy() : connection.release(),
        );
      }
      throw error;
    }
  };
}

function takeConnection(
  pool: MysqlPool,
  signal: AbortSignal | undefined,
): Promise<MysqlConnection> {
  return new Promise((resolve, reject) => {
    const giveUp = (cause: unknown) => reject(new NotConnected(messageOf(cause), { cause }));
    const abort = () => giveUp(signal!.reason);
    signal?.addEventListener("abort", abort);
    pool.getConnection((error, connection) => {
      signal?.removeEventListener("abort", abort);
      if (error) giveUp(error);
      else if (signal?.aborted) connection.release();
      else resolve(connection);
    });
  });
}

function answer(
  connection: MysqlConnection,
  sql: string,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const giveUp = (cause: unknown, why: string) => {
      settle();
      reject(new NoAnswer(why, { cause }));
    };
    const abort = () => giveUp(signal!.reason, "the caller went away");
    const timer = setTimeout(() => giveUp(undefined, `no answer within ${timeout} ms`), timeout);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    signal?.addEventListener("abort", abort);
    connection.query(sql, (error, results) => {
      settle();
      if (error === null) resolve(results);
      else if (isServerError(error)) reject(error);
      else reject(new NoAnswer(error.message, { cause: error }));
    });
  });
}

/** Whether the server said it, and goes on listening. */
function isServerError({ errno, fatal }: MysqlError): boolean {
  return errno !== undefined && errno >= 1000 && fatal !== true;
}
