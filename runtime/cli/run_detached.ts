/**
 * `mp run -d`: deploy in the background.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { MpError } from "../errors.ts";
import type { AppLock } from "../launch/app_lock.ts";
import { claimApp } from "../launch/claim_app.ts";
import { detach } from "../launch/detach.ts";
import type { DeploymentHandle, Driver, ReplicaCommand } from "../launch/driver.ts";
import type { DeployOrder, Launcher } from "../launch/launcher.ts";
import type { StateFolder } from "../launch/state.ts";
import { type Followed, whoRuns } from "./attach.ts";
import { doorUrl } from "./door_url.ts";
import { formatDuration } from "./duration.ts";
import type { Output } from "./output.ts";
import { NOTHING_EXPOSED } from "./run_view.ts";
import { aborted, type StopSignals } from "./stop_signals.ts";
import { interrupted, launch } from "./supervise.ts";
import { warnOfOtherScript } from "./warn_of_other_script.ts";

/** How long is waited for what there is to tell of the storage, in milliseconds. */
const ADVICE_TIME = 3_000;

/** What a run in the background works with. */
export interface DetachedContext {
  readonly state: StateFolder;
  readonly output: Output;
  readonly stop: StopSignals;
  readonly program: { readonly self: ReplicaCommand };
  driver(): Promise<Driver>;
  /** The deployment of the app that goes on without a launcher, if there is one. */
  found(): Promise<Followed | undefined>;
  /** What there is to tell of the storage. */
  readonly advice: Promise<readonly string[]>;
  readonly options: { readonly wait: boolean; readonly timeout: number };
}

/** Deploys in the background. @returns The exit status. */
export async function runDetached(order: DeployOrder, context: DetachedContext): Promise<number> {
  const { state, output, program: { self }, options: { wait, timeout }, stop } = context;
  const { app } = order.plan;
  const late = new AbortController();
  const timer = wait ? setTimeout(() => late.abort(tooLate(app, timeout)), timeout) : undefined;
  try {
    const { lock, running } = await claimApp(state, app, stop.signal);
    const options = { wait, signal: stop.signal, late: late.signal };
    const outlives = (await context.driver()).capabilities.outlivesLauncher;
    const followed = running ?? (outlives ? await foundOr(lock!, context) : undefined);
    if (followed) {
      warnOfOtherScript(order, followed.record, (text) => output.say("warning", text));
    }
    if (followed || !outlives) lock?.release(); // its successor takes it
    const { handle, pid } = followed
      ? await updateRunning(order, followed, options)
      : outlives
      ? await launchAndLeave(order, lock!, { ...context, late: late.signal })
      : await detach(order, { program: self, ...options });
    const silent = delay(ADVICE_TIME, { signal: stop.signal }).then(() => []);
    for (const warning of await Promise.race([context.advice, silent])) {
      output.say("warning", warning);
    }
    // what is updated listens already
    tell(handle, { pid, isListening: wait || followed !== undefined }, output);
    return 0;
  } catch (error) {
    throw stop.signal.aborted && !(error instanceof MpError) ? interrupted(app) : error;
  } finally {
    clearTimeout(timer);
  }
}

async function foundOr(lock: AppLock, { found }: DetachedContext): Promise<Followed | undefined> {
  try {
    return await found();
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Launches what goes on without a launcher. */
async function launchAndLeave(
  order: DeployOrder,
  lock: AppLock,
  { state, driver, output, stop, options: { wait }, late }: DetachedContext & { late: AbortSignal },
): Promise<{ handle: DeploymentHandle; pid?: number }> {
  const launcher = await launch(order, lock, {
    state,
    driver,
    stop,
    onTold: (text) => output.say("info", text),
  });
  const { handle } = launcher;
  try {
    if (wait) await launcher.ready(AbortSignal.any([stop.signal, late]));
    stop.signal.throwIfAborted();
  } catch (error) {
    if (late.aborted && !stop.signal.aborted) {
      await launcher.leave();
      throw late.reason;
    }
    await launcher.delete();
    throw error;
  }
  await launcher.leave();
  await launcher.ended;
  return { handle };
}

function tell(
  handle: DeploymentHandle,
  { pid, isListening }: { readonly pid: number | undefined; readonly isListening: boolean },
  output: Output,
): void {
  const { app } = handle;
  if (output.json) return output.data({ ...handle, ...(pid !== undefined && { pid }) });
  for (const { address, methods } of handle.doors) {
    const listening = isListening ? "listening" : "soon listening";
    output.result(`${listening} on ${doorUrl(address)}: ${methods.join(", ")}`);
  }
  if (handle.doors.length === 0) {
    for (const text of NOTHING_EXPOSED) {
      output.say("warning", text);
    }
  }
  const launcher = pid === undefined ? undefined : { pid };
  output.say(
    "info",
    launcher ? `Process ${pid} runs "${app}" in the background` : whoRuns({ handle }),
  );
  output.say("info", `  → mp ps, mp logs ${app} -f, mp delete ${app}`);
}

/** Has the running launcher update what it runs. */
async function updateRunning(
  order: DeployOrder,
  { launcher, record }: Followed,
  { wait, signal, late }: { wait: boolean; signal: AbortSignal; late: AbortSignal },
): Promise<{ handle: DeploymentHandle; pid?: number }> {
  using _ = launcher;
  const pid = record.launcher?.pid;
  const updated = launcher.update(order).then(({ handle }) => ({ handle, pid }));
  updated.catch(() => {}); // awaited below, unless something else comes first
  const stopped = aborted(signal).then(() => {
    throw new MpError("interrupted", `Cannot wait for "${order.plan.app}": it was interrupted`, {
      next: "The launcher goes on with the update; see mp ps",
    });
  });
  const tooLate = aborted(late).then(() => {
    throw late.reason;
  });
  // without a process of its own, the update ends with this one
  const accepted = wait || pid === undefined
    ? []
    : [isUpdating(launcher).then(() => ({ handle: record.handle, pid }))];
  return await Promise.race([updated, stopped, tooLate, ...accepted]);
}

/** Resolves when the launcher has begun with an update. */
async function isUpdating(launcher: Launcher): Promise<void> {
  for await (const { kind } of launcher.news(new AbortController().signal)) {
    if (kind === "updating") return;
  }
  await new Promise(() => {}); // the update itself fails then, and says why
}

function tooLate(app: string, timeout: number): MpError {
  return new MpError(
    "deadline_exceeded",
    `Cannot wait for "${app}": it is not ready after ${formatDuration(timeout)}`,
    { next: `It goes on in the background: see mp ps ${app}, or stop it with mp delete ${app}` },
  );
}
