/**
 * `mp run` in the foreground: launch and supervise, or update what runs and follow it.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { AppLock } from "../launch/app_lock.ts";
import { claimApp } from "../launch/claim_app.ts";
import type { RemoteLauncher } from "../launch/connect_launcher.ts";
import { INSPECTOR } from "../launch/deployed.ts";
import type { DeployOrder, Launcher } from "../launch/launcher.ts";
import type { KnownDeployment } from "../launch/state.ts";
import type { Output } from "./output.ts";
import { type RunView, runView, show } from "./run_view.ts";
import { interrupted, supervise, type SupervisionContext } from "./supervise.ts";
import { warnOfOtherScript } from "./warn_of_other_script.ts";
import { aborted, type StopSignals } from "./stop_signals.ts";

/** What a run in the foreground works with. */
export interface RunContext
  extends Pick<SupervisionContext, "state" | "stop" | "driver" | "endsAtOnce"> {
  readonly output: Output;
  readonly stop: StopSignals;
  /** What there is to tell of the storage. */
  readonly advice: Promise<readonly string[]>;
  /** The deployment of the app that goes on without a launcher, if there is one. */
  found?(): Promise<Followed | undefined>;
  /** With `--watch`: what to update to. */
  readonly updates?: Updates;
}

/** A deployment that is followed, and its launcher, which is disposed in the end. */
export interface Followed {
  readonly launcher: RemoteLauncher;
  readonly record: KnownDeployment;
}

/** The orders that follow from changes of files. */
export interface Updates {
  /** One after each change; making it may fail. */
  readonly orders: AsyncIterable<() => Promise<DeployOrder>>;
  end(): void;
}

/** Deploys in the foreground. @returns The exit status. */
export async function attach(order: DeployOrder, context: RunContext): Promise<number> {
  const { state, stop } = context;
  const { app } = order.plan;
  const { lock, running } = await claimApp(state, app, stop.signal).catch((error) => {
    throw stop.signal.aborted ? interrupted(app) : error;
  });
  if (running) return await follow(order, running, context);
  const found = await context.found?.().catch((error) => {
    lock.release();
    throw error;
  });
  if (!found) return await launchHere(order, lock, context);
  // who takes a deployment up locks the app for each change
  lock.release();
  return await follow(order, found, context);
}

/** Becomes the launcher. */
async function launchHere(order: DeployOrder, lock: AppLock, context: RunContext): Promise<number> {
  const { output } = context;
  const view = runView(order.plan, output);
  let isOver = false;
  context.advice.then((advice) => {
    if (!isOver) { for (const warning of advice) view.say("warning", warning); }
  });
  try {
    await supervise(order, lock, {
      ...context,
      view,
      async whileReady(launcher) {
        if (order.inspect !== undefined) {
          view.say(
            "info",
            `The inspector of ${order.inspect}[0] listens on ${INSPECTOR}: chrome://inspect`,
          );
        }
        await untilDone(launcher, view, launcher.ended, context);
        const { aborted, reason } = context.stop.signal;
        if (aborted) view.say("info", `${reason}: once more ends everything at once`);
      },
    });
    return 0;
  } finally {
    isOver = true;
    view.close();
  }
}

/** Has the launcher in another process do it, and shows what it tells. */
async function follow(
  order: DeployOrder,
  { launcher, record }: Followed,
  context: RunContext,
): Promise<number> {
  using _ = launcher;
  const { output, stop } = context;
  const { app } = order.plan;
  const view = runView(record.plan, output);
  const over = new AbortController();
  const shown = show(launcher, view, over.signal);
  try {
    view.begin((await launcher.status()).replicas);
    warnOfOtherScript(order, record, (text) => view.say("warning", text));
    view.ownUpdate = true;
    const { how, handle } = await raceStop(launcher.update(order), stop);
    view.ownUpdate = false;
    for (const warning of await raceStop(context.advice, stop)) view.say("warning", warning);
    if (how === "unchanged") view.say("info", `"${app}" is up to date`);
    view.ready(handle);
    view.say(
      "info",
      `${whoRuns(record)}: Ctrl-C only stops following, mp delete ${app} stops it`,
    );
    await untilDone(launcher, view, shown, context);
    if (stop.signal.aborted) view.say("info", `Stopped following "${app}", which goes on`);
  } finally {
    over.abort();
    await shown;
    view.close();
  }
  return 0;
}

/** `Process 12 runs "shop"`. */
export function whoRuns(
  { launcher, handle }: Pick<KnownDeployment, "launcher" | "handle">,
): string {
  return launcher
    ? `Process ${launcher.pid} runs "${handle.app}"`
    : `"${handle.app}" goes on by itself (${handle.driver})`;
}

/** Resolves when the deployment has ended, somebody asks to stop, or nobody reads the output. */
async function untilDone(
  launcher: Launcher,
  view: RunView,
  ended: Promise<void>,
  { updates, stop, output }: RunContext,
): Promise<void> {
  // not waited for: an update that is under way ends with the launcher
  if (updates) followUpdates(launcher, view, updates, stop);
  await Promise.race([ended, aborted(stop.signal), aborted(output.stdout.sink.closed)]);
  updates?.end();
}

/** Updates at every change; what does not work is shown, and what ran goes on. */
async function followUpdates(
  launcher: Launcher,
  view: RunView,
  { orders }: Updates,
  stop: StopSignals,
): Promise<void> {
  for await (const prepare of orders) {
    try {
      view.say("info", "A file changed");
      const order = await prepare();
      view.ownUpdate = true;
      const { how } = await launcher.update(order);
      if (how === "unchanged") view.say("info", "Nothing else runs for it");
    } catch (error) {
      if (stop.signal.aborted) return;
      view.error(error);
    } finally {
      view.ownUpdate = false;
    }
  }
}

async function raceStop<T>(work: Promise<T>, { signal }: StopSignals): Promise<T> {
  work.catch(() => {});
  const stopped = aborted(signal).then(() => {
    throw new MpError("interrupted", "Cannot wait for the update: it was interrupted", {
      next: "The launcher goes on with it; see mp ps",
    });
  });
  return await Promise.race([work, stopped]);
}
