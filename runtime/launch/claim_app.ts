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
/** How long a locked app may have a deployment whose launcher cannot be reached: one that ends. */
const GRACE = 2_000;
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
  let unreachable: unknown;
  for (;;) {
    signal.throwIfAborted();
    const lock = await state.lock(app);
    if (lock) return { lock };
    const record = await state.read(app);
    const launcher = record && await reach(record, (error) => unreachable = error);
    if (launcher && await stays(launcher)) return { running: { launcher, record } };
    if (launcher) {
      await ended(launcher, signal);
      since = performance.now();
    } else if (performance.now() - since > (record ? GRACE : PATIENCE)) {
      if (record) throw unreachable;
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

/** The launcher of a deployment; nothing when it cannot be reached, maybe since it has just ended. */
async function reach(
  record: DeploymentRecord,
  onUnreachable: (error: unknown) => void,
): Promise<RemoteLauncher | undefined> {
  try {
    return await connectLauncher(record);
  } catch (error) {
    onUnreachable(error);
    return undefined;
  }
}

/** Whether a launcher goes on; one that ends while it is asked does not. */
async function stays(launcher: RemoteLauncher): Promise<boolean> {
  try {
    return !(await launcher.status()).stopping;
  } catch (error) {
    if (error instanceof MpError && error.code === "launcher_unreachable") return false;
    launcher[Symbol.dispose]();
    throw error;
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
