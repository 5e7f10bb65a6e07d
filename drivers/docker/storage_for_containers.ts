/**
 * Which storage replicas in containers use. Pure.
 *
 * @module
 */

import { dirname } from "node:path";
import { MpError } from "../../runtime/errors.ts";
import { chooseStorage } from "../../runtime/storage/choose_storage.ts";
import type { StorageConfig } from "../../runtime/storage/storage_config.ts";

/** Where the volume with the data of the storage `file` is mounted: beside the script, where `file` keeps it. */
export const DATA_FOLDER = "/app/.mp";

/** What replicas are told of their storage. */
export interface ContainerStorage {
  /** Variables that they need, besides those that they have. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether they may keep a file. */
  readonly file: boolean;
}

const VARIABLES = ["MP_STORAGE", "REDIS_URL", "REDIS_HOST", "MYSQL_URL"];
const OWN_HOST = /^(localhost|127(\.\d+){3}|0\.0\.0\.0|::1?|\[::1?\])$/i;

/**
 * Checks that containers can reach the storage that was chosen.
 *
 * @param given The environment of the command line's own.
 * @param around What else is in the environment of the launcher.
 * @param known What was chosen, by the script too, where that is known.
 * @throws {MpError} `usage` for an address that means the container itself.
 */
export function storageForContainers(
  given: Readonly<Record<string, string>>,
  around: (name: string) => string | undefined,
  script: string,
  known?: StorageConfig,
): ContainerStorage {
  const env: Record<string, string> = {};
  for (const name of VARIABLES) {
    const value = given[name] ?? around(name);
    if (value) env[name] = value;
  }
  if (known === undefined && Object.keys(env).length === 0) return { env, file: true };
  const config = known ?? chooseStorage({ env, folder: dirname(script) });
  if (config.storage === "file") {
    return { env: { MP_STORAGE: `file:${DATA_FOLDER}/data.db` }, file: true };
  }
  if (config.storage === "memory") return { env, file: false };
  const local = config.storage === "mysql" && config.socketPath !== undefined
    ? `the socket ${config.socketPath}`
    : OWN_HOST.test(config.host)
    ? config.host
    : undefined;
  if (local === undefined) return { env, file: false };
  throw new MpError(
    "usage",
    `Cannot use the storage ${config.storage} at ${local}: in a container that is the container itself`,
    {
      where: VARIABLES.find((name) => env[name] !== undefined) ?? "mp.setStorage()",
      next: `Name a host that containers reach: host.docker.internal is this machine, ` +
        `where ${config.storage} must listen on more than 127.0.0.1`,
    },
  );
}
