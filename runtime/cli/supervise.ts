/**
 * The life of a launcher: start, ready, until it is asked to end.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { AppLock } from "../launch/app_lock.ts";
import type { DeploymentHandle, Driver } from "../launch/driver.ts";
import type { DeployOrder } from "../launch/launcher.ts";
import { replan, replicaEntry } from "../launch/prepare.ts";
import { replicaCommand } from "../launch/serving_half.ts";
import { type LocalLauncher, startLauncher } from "../launch/start_launcher.ts";
import type { StateFolder } from "../launch/state.ts";
import { type RunView, show } from "./run_view.ts";

/** What supervision works with. */
export interface SupervisionContext {
  readonly state: StateFolder;
  readonly view: RunView;
  /** Ends it: everything is drained and stopped. */
  readonly stop: { readonly signal: AbortSignal };
  driver(): Promise<Driver>;
  /** Replicas are on their way. */
  onAccepted?(handle: DeploymentHandle): void;
  onReady?(handle: DeploymentHandle): void;
  /** Runs when every replica is ready; the deployment is deleted when it resolves. */
  whileReady(launcher: LocalLauncher): Promise<void>;
  /** Takes what a second Ctrl-C is to do. */
  endsAtOnce?(end: () => void): void;
}

/**
 * Launches what is ordered, supervises it, and leaves nothing behind.
 *
 * @param lock The app's lock; it is given back.
 * @throws {MpError} Why it does not run; `interrupted` when it is stopped before it is ready.
 */
export async function supervise(
  order: DeployOrder,
  lock: AppLock,
  context: SupervisionContext,
): Promise<void> {
  const { view, stop: { signal } } = context;
  const { app } = order.plan;
  const launcher = await launch(order, lock, {
    ...context,
    onTold: (text) => view.say("info", text),
  }).catch((error) => {
    throw signal.aborted ? interrupted(app) : error;
  });
  const shown = show(launcher, view);
  context.endsAtOnce?.(() => {
    // the system ends the replicas with this process, or their platform is told to
    const ended = launcher.handle.driver === "process" ? Promise.resolve() : launcher.delete();
    Promise.all([ended, context.state.clear(app)]).catch(() => {}).finally(() => Deno.exit(130));
  });
  try {
    view.begin((await launcher.status()).replicas);
    context.onAccepted?.(launcher.handle);
    await launcher.ready(signal);
    context.onReady?.(launcher.handle);
    view.ready(launcher.handle);
    await context.whileReady(launcher);
  } catch (error) {
    if (signal.aborted) throw interrupted(app);
    // another command deleted it while it started
    if (!launcher.isDeleted) throw error;
  } finally {
    await launcher.delete();
    await launcher.ended;
    await shown;
  }
}

/** What a launch works with. */
export interface LaunchContext extends Pick<SupervisionContext, "state" | "stop" | "driver"> {
  /** Told what is done before replicas are on their way. */
  onTold?(text: string): void;
}

/** Launches what is ordered. @param lock The app's lock; it is given back. */
export async function launch(
  order: DeployOrder,
  lock: AppLock,
  context: LaunchContext,
): Promise<LocalLauncher> {
  try {
    const [driver, entry] = await Promise.all([context.driver(), replicaEntry()]);
    return await startLauncher(order, {
      state: context.state,
      lock,
      driver,
      replan,
      command: (options) => replicaCommand(entry, options),
      signal: context.stop.signal,
      tell: context.onTold,
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The error of a run that was stopped before it was ready. */
export function interrupted(app: string): MpError {
  return new MpError("interrupted", `Cannot run "${app}": it was interrupted`);
}
