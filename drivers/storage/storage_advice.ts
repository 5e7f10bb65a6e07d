/**
 * What to tell a person about a storage before it is used.
 *
 * @module
 */

import type { StorageConfig } from "../../runtime/storage/storage_config.ts";
import { adviseMysql } from "./mysql_advice.ts";
import { mysqlUnreachable } from "./mysql_fault.ts";
import { connectMysql } from "./mysql_link.ts";
import { adviseRedis } from "./redis_advice.ts";
import { redisUnreachable } from "./redis_fault.ts";
import { connectRedis } from "./redis_link.ts";

/**
 * Looks whether a storage can be reached, and whether it keeps what it is given.
 *
 * @returns Warnings, whole sentences without a full stop.
 * @throws {MpError} `storage_unavailable` when it cannot be reached.
 */
export async function storageAdvice(config: StorageConfig, signal: AbortSignal): Promise<string[]> {
  const warnings: string[] = [];
  const warn = (warning: string) => void warnings.push(warning);
  if (config.storage === "redis") {
    const link = await connectRedis(config, { cluster: false, signal, onLost() {} })
      .catch((error) => {
        throw redisUnreachable(error, `${config.host}:${config.port}`);
      });
    await adviseRedis(link, warn);
    link.close();
  }
  if (config.storage === "mysql") {
    const where = config.socketPath ?? `${config.host}:${config.port}`;
    const link = await connectMysql(config, signal).catch((error) => {
      throw mysqlUnreachable(error, where);
    });
    await adviseMysql(link, warn);
    await link.end();
  }
  return warnings;
}
