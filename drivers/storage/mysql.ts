/**
 * The storage `mysql`: a MySQL or MariaDB server.
 *
 * @module
 */

import type {
  Backend,
  BackendOptions,
  EncodedCommit,
  KeyRange,
  Verdict,
} from "../../runtime/storage/backend.ts";
import { createStorage } from "../../runtime/storage/create_storage.ts";
import { encodeNamespace, keyAfter } from "../../runtime/storage/key.ts";
import { DEFAULT_RETENTION } from "../../runtime/storage/record.ts";
import type { MysqlConfig } from "../../runtime/storage/storage_config.ts";
import type { Storage } from "../../runtime/storage/storage.ts";
import { mayHaveCommitted, storageFault } from "../../runtime/storage/storage_fault.ts";
import { adviseMysql } from "./mysql_advice.ts";
import { lastingConnection } from "./lasting_connection.ts";
import {
  isConflict,
  isWithoutTables,
  mysqlFault,
  mysqlUnreachable,
  requestTooLarge,
} from "./mysql_fault.ts";
import { connectMysql, type MysqlLink } from "./mysql_link.ts";
import type { StatementOptions } from "./mysql_rows.ts";
import {
  commitRequest,
  CREATE_TABLES,
  entriesOf,
  entriesRequest,
  isSweptClean,
  judgeRequest,
  type MysqlRequest,
  pageRequest,
  sweepRequest,
} from "./mysql_statements.ts";

/** How many entries, and how many bytes of them, are read at once. */
const PAGE = 256;
const PAGE_BYTES = 4 * 1024 * 1024;
/** How often a request is sent that others keep from being carried out, where no signal says how long. */
const ATTEMPTS = 20;
/** How much of a request is not its commits, in bytes. */
const OVERHEAD = 4 * 1024;

/** How a mysql storage is opened. */
export interface MysqlStorageOptions extends BackendOptions {
  readonly config: MysqlConfig;
  /** A clock that tells when it is time to remove what is over, in milliseconds. Default: `performance.now`. */
  readonly clock?: () => number;
}

/**
 * Opens a database as a storage; connects at the first call, and makes its tables (`mp_records`, `mp_writers`) when they are
 * not there.
 */
export function mysqlStorage(options: MysqlStorageOptions): Storage {
  return createStorage(mysqlBackend(options));
}

function mysqlBackend(
  options: MysqlStorageOptions,
): Backend {
  const { config, namespace, retention = DEFAULT_RETENTION, onWarning } = options;
  const clock = options.clock ?? (() => performance.now());
  const where = config.socketPath ?? `${config.host}:${config.port}`;
  const prefix = `${encodeNamespace(namespace)}:`;
  let advised = false;
  const connection = lastingConnection<MysqlLink>({
    async connect(signal) {
      const link = await connectMysql(config, signal);
      if (!advised && onWarning !== undefined) {
        advised = true;
        void adviseMysql(link, onWarning);
      }
      return link;
    },
    disconnect: (link) => link.end(),
    unreachable: (cause) => mysqlUnreachable(cause, where),
    closed: () => storageFault("closed", `Cannot use mysql at ${where}: the storage is closed`),
  });
  let swept = clock();
  let sweeping: Promise<unknown> | undefined;

  const optionsOf = (link: MysqlLink): StatementOptions => ({
    retention,
    prefix,
    escape: link.escape,
  });

  /** Sends a request; again when others keep it from being carried out, or the tables are not there. */
  async function send(
    link: MysqlLink,
    sql: string,
    signal: AbortSignal | undefined,
  ): Promise<unknown[]> {
    for (let attempt = 1;; attempt++) {
      try {
        return await link.query(sql, signal);
      } catch (error) {
        const fault = mysqlFault(error, where);
        if (fault.reason === "unreachable" && !signal?.aborted) connection.lost(link);
        const again = isWithoutTables(error)
          ? attempt === 1
          : isConflict(error) && attempt < ATTEMPTS;
        if (!again || signal?.aborted) throw fault;
        if (isWithoutTables(error)) await send(link, CREATE_TABLES, signal);
      }
    }
  }

  async function commit(
    batch: readonly EncodedCommit[],
    signal: AbortSignal | undefined,
  ): Promise<Verdict[]> {
    const link = await connection.get(signal);
    const options = optionsOf(link);
    if (batch.every(({ writes }) => writes.length === 0)) {
      const { sql, verdicts } = judgeRequest(batch, options);
      return verdicts(await send(link, sql, signal));
    }
    const requests = splitBatch(batch, link.maxPacket, options);
    const all: Verdict[] = [];
    for (const { sql, verdicts } of requests) {
      try {
        all.push(...verdicts(await send(link, sql, signal)));
      } catch (error) {
        // those before were carried out
        if (all.length === 0 || mayHaveCommitted(error)) throw error;
        throw storageFault("reply_lost", `Cannot finish a batch: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
    sweepNow(link);
    return all;
  }

  function sweepNow(link: MysqlLink): void {
    if (clock() < swept + retention / 5 || sweeping !== undefined) return;
    swept = clock();
    // nobody waits for it, and it is tried again later when others are in its way
    sweeping = link.query(sweepRequest(optionsOf(link)), undefined)
      // where more are over, the next commit goes on
      .then((results) => isSweptClean(results) || (swept = -Infinity), () => {})
      .finally(() => sweeping = undefined);
  }

  async function* scan({ from, before }: KeyRange, signal: AbortSignal | undefined) {
    for (let next = from;;) {
      const link = await connection.get(signal);
      const options = optionsOf(link);
      const [, rows] = await send(link, pageRequest(next, before, PAGE, options), signal) as [
        unknown,
        [string, number][],
      ];
      const keys: string[] = [];
      let bytes = 0;
      for (const [key, length] of rows) {
        keys.push(key);
        bytes += length;
        if (bytes > PAGE_BYTES) break;
      }
      if (keys.length === 0) return;
      yield entriesOf(await send(link, entriesRequest(keys, options), signal), prefix);
      next = keyAfter(keys.at(-1)!.slice(prefix.length));
    }
  }

  return {
    name: "mysql",
    commit,
    scan,
    async close() {
      await sweeping;
      await connection.close();
    },
  };
}

/**
 * Makes as few requests of a batch as the server takes.
 *
 * @throws {MpError} `request_too_large` when it does not take one of the commits.
 */
function splitBatch(
  batch: readonly EncodedCommit[],
  maxPacket: number,
  options: StatementOptions,
): MysqlRequest[] {
  const whole = commitRequest(batch, options);
  const size = byteLength(whole.sql, maxPacket);
  if (size + OVERHEAD <= maxPacket) return [whole];
  if (batch.length === 1) throw requestTooLarge(size, maxPacket);
  const half = Math.ceil(batch.length / 2);
  return [batch.slice(0, half), batch.slice(half)].flatMap((part) =>
    splitBatch(part, maxPacket, options)
  );
}

/** The size of a text in UTF-8; not counted where it cannot come near the limit. */
function byteLength(text: string, limit: number): number {
  return text.length * 3 < limit - OVERHEAD ? text.length : new TextEncoder().encode(text).length;
}
