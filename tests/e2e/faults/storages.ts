/**
 * The storages of the fault tests, and what can go wrong with each.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { startMysql } from "../../support/servers/mysql_server.ts";
import { startRedis } from "../../support/servers/redis_server.ts";
import { startProxy } from "../../support/servers/tcp_proxy.ts";
import type { TestServer } from "../../support/servers/test_server.ts";
import { type Fault, FILE_FAULTS, REPLICA_FAULTS, SERVER_FAULTS, type Victims } from "./nemesis.ts";

/** A storage, ready to be used. */
export interface FaultyStorage extends AsyncDisposable {
  /** For `--storage`. */
  readonly url: string;
  readonly victims: Omit<Victims, "signal">;
}

/** How a storage is made, and its faults. */
export interface StorageUnderTest {
  open(folder: string): Promise<FaultyStorage>;
  readonly faults: Readonly<Record<string, Fault>>;
}

/** Each storage that replicas can share, by its name. */
export const STORAGES: Readonly<Record<string, StorageUnderTest>> = {
  file: {
    // deno-lint-ignore require-await -- there is no server
    async open(folder) {
      const path = `${folder}/data.db`;
      return {
        url: `file:${path}`,
        victims: { lock: (held) => lock(path, held) },
        async [Symbol.asyncDispose]() {},
      };
    },
    faults: { ...REPLICA_FAULTS, ...FILE_FAULTS },
  },
  redis: {
    open: () => behindProxy(startRedis()),
    faults: { ...REPLICA_FAULTS, ...SERVER_FAULTS },
  },
  mysql: {
    open: () => behindProxy(startMysql()),
    faults: { ...REPLICA_FAULTS, ...SERVER_FAULTS },
  },
};

async function behindProxy(
  starting: Promise<TestServer & { readonly url: string }>,
): Promise<FaultyStorage> {
  const server = await starting;
  const proxy = await startProxy({ port: server.port });
  return {
    url: server.url.replace(`:${server.port}`, `:${proxy.port}`),
    victims: { proxy, server },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function lock(path: string, held: () => Promise<void>): Promise<void> {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE");
    await held();
    db.exec("ROLLBACK");
  } finally {
    db.close();
  }
}
