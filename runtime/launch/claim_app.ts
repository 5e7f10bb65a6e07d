/**
 * Who launches an app: this process, or one that does already.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { MpError } from "../errors.ts";
import type { AppLock } from "./app_lock.ts";
import { connectLauncher, type RemoteLauncher } from "./connect_launcher.ts";
import type { DeploymentRecord, StateFolder } from "./state.ts";

/** Either the lock, with which this process becomes the launcher, or the one that runs. */
export type Claim =
  | { readonly lock: AppLock; readonly running?: undefined }
  | { readonly lock?: undefined; readonly running: Running };

/** A deployment, and the connection to its launcher, which whoever gets it closes. */
export interface Running {
  readonly launcher: RemoteLauncher;
  readonly record: DeploymentRecord;
}

/** How long an app may be locked without a deployment, in milliseconds. */
const PATIENCE = 15_000;
const PAUSE = 50;

/**
 * Makes sure that an app has one launcher, however many commands are given at once. A launcher that is
 * about to end is waited for.
 *
 * @throws {MpError} `launcher_unreachable` when the app is locked and nobody answers for it;
 * `state_unwritable`; the reason of `signal`.
 */
export async function claimApp(
  state: StateFolder,
  app: string,
  signal: AbortSignal,
): Promise<Claim> {
  let since = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const lock = await state.lock(app);
    if (lock) return { lock };
    const record = await state.read(app);
    if (record) {
      const launcher = await reach(state, record);
      if (launcher && !(await launcher.status()).stopping) return { running: { launcher, record } };
      if (launcher) await ended(launcher, signal);
      since = performance.now();
    } else if (performance.now() - since > PATIENCE) {
      break;
    }
    // another is about to start or has just ended, and neither tells
    await delay(PAUSE, { signal });
  }
  throw new MpError(
    "launcher_unreachable",
    `Cannot run "${app}": another process holds its lock`,
    { where: state.folder(app), next: "Wait for it, or end the other mp process" },
  );
}

/** The launcher of a deployment; nothing when it has just ended. */
async function reach(
  state: StateFolder,
  record: DeploymentRecord,
): Promise<RemoteLauncher | undefined> {
  try {
    return await connectLauncher(record);
  } catch (error) {
    const now = await state.read(record.handle.app);
    if (now?.control.secret === record.control.secret) throw error;
    return undefined;
  }
}

async function ended(launcher: RemoteLauncher, signal: AbortSignal): Promise<void> {
  using _ = launcher;
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  signal.addEventListener("abort", onAbort);
  await Promise.race([launcher.closed, aborted.promise]);
  signal.removeEventListener("abort", onAbort);
}
