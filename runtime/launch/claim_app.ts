/**
 * Who launches an app: this process, or one that does already.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { MpError } from "../errors.ts";
import type { AppLock } from "./app_lock.ts";
import type { DeploymentRecord, StateFolder } from "./state.ts";

/** Either the lock, with which this process becomes the launcher, or the deployment whose launcher lives. */
export type Claim =
  | { readonly lock: AppLock; readonly record?: undefined }
  | { readonly lock?: undefined; readonly record: DeploymentRecord };

/** How long a launcher may take from its lock to its record, in milliseconds. */
const PATIENCE = 15_000;
const PAUSE = 50;

/**
 * Makes sure that an app has one launcher, however many commands are given at once.
 *
 * @throws {MpError} `launcher_unreachable` when the app is locked and nobody says why; `state_unwritable`.
 */
export async function claimApp(
  state: StateFolder,
  app: string,
  signal: AbortSignal,
): Promise<Claim> {
  const since = performance.now();
  for (;;) {
    const lock = await state.lock(app);
    if (lock) return { lock };
    const record = await state.read(app);
    if (record) return { record };
    if (performance.now() - since > PATIENCE) break;
    // another is about to start or to end, and neither tells
    await delay(PAUSE, { signal });
  }
  throw new MpError(
    "launcher_unreachable",
    `Cannot run "${app}": another process holds its lock`,
    { where: state.folder(app), next: "Wait for it, or end the other mp process" },
  );
}
