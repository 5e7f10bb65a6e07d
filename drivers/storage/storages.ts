/**
 * Every storage, by name. The code of each, and its client library, is loaded when it is first opened.
 *
 * @module
 */

import type { StorageDrivers } from "../../runtime/storage/lazy_storage.ts";
import type { FileConfig, MysqlConfig, RedisConfig } from "../../runtime/storage/storage_config.ts";

/** How storages are opened. */
export const storages: StorageDrivers = {
  memory: async (_config, namespace) => (await import("./memory.ts")).memoryStorage({ namespace }),
  file: async (config, namespace, onWarning) =>
    (await import("./file.ts")).fileStorage({ ...config as FileConfig, namespace, onWarning }),
  redis: async (config, namespace, onWarning) =>
    (await import("./redis.ts"))
      .redisStorage({ config: config as RedisConfig, namespace, onWarning }),
  mysql: async (config, namespace, onWarning) =>
    (await import("./mysql.ts"))
      .mysqlStorage({ config: config as MysqlConfig, namespace, onWarning }),
};
