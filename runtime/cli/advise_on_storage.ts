/**
 * What a person is told of the storage of an app that is about to run.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import type { StorageConfig } from "../storage/storage_config.ts";
import type { Program } from "./command.ts";

/** Looks whether a storage can be reached and keeps what it is given. Never rejects. */
export async function adviseOnStorage(
  storage: StorageConfig | undefined,
  { storageAdvice }: Pick<Program, "storageAdvice">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (storage === undefined) return [];
  try {
    return await storageAdvice(storage, signal);
  } catch (error) {
    if (signal.aborted) return [];
    return [`${messageOf(error)}; calls that use scopes wait for it until their deadline`];
  }
}
