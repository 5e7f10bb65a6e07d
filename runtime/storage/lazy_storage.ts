/**
 * A storage whose code is loaded when it is first used.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Storage } from "./storage.ts";
import type { StorageConfig, StorageName } from "./storage_config.ts";

/** Opens a storage of one kind for one namespace. */
export type OpenStorage = (
  config: StorageConfig,
  namespace: string,
  onWarning?: (warning: string) => void,
) => Promise<Storage>;

/** How storages are opened, by name; each loads its code when it is called. */
export type StorageDrivers = { readonly [Name in StorageName]?: OpenStorage };

/**
 * Makes a storage that is opened by its first call.
 *
 * @param app Whose scopes they are, unless the configuration says so.
 * @param onWarning Told once of what is not as it should be. Default: nobody.
 * @throws {MpError} `unsupported`
 */
export function lazyStorage(
  config: StorageConfig,
  app: string,
  drivers: StorageDrivers,
  onWarning?: (warning: string) => void,
): Storage {
  const open = drivers[config.storage];
  if (open === undefined) {
    throw new MpError(
      "unsupported",
      `Cannot use the storage "${config.storage}": it is not part of this program`,
      {
        next: `Use one of ${Object.keys(drivers).join(", ")}`,
      },
    );
  }
  const { namespace = app } = config;
  let opened: Promise<Storage> | undefined;
  let closed = false;
  const storage = () => {
    // what could not be loaded once may be loaded the next time
    opened ??= open(config, namespace, onWarning).catch((error) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  const close = async () => {
    closed = true;
    await (await opened)?.close();
  };
  return {
    name: config.storage,
    read: async (keys, options) => (await storage()).read(keys, options),
    commit: async (batch, options) => (await storage()).commit(batch, options),
    async *scan(range, options) {
      if (!closed) yield* (await storage()).scan(range, options);
    },
    async *watch(keys, options) {
      if (!closed) yield* (await storage()).watch(keys, options);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
