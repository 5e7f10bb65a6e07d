/**
 * `mp run -d`: deploy in the background.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { MpError } from "../errors.ts";
import { claimApp, type Running } from "../launch/claim_app.ts";
import { detach, type Detached } from "../launch/detach.ts";
import type { DeploymentHandle, ReplicaCommand } from "../launch/driver.ts";
import type { DeployOrder, Launcher } from "../launch/launcher.ts";
import type { StateFolder } from "../launch/state.ts";
import { doorUrl } from "./door_url.ts";
import { formatDuration } from "./duration.ts";
import type { Output } from "./output.ts";
import { NOTHING_EXPOSED } from "./run_view.ts";
import { aborted, type StopSignals } from "./stop_signals.ts";
import { interrupted } from "./supervise.ts";
import { warnOfOtherScript } from "./warn_of_other_script.ts";

/** How long is waited for what there is to tell of the storage, in milliseconds. */
const ADVICE_TIME = 3_000;

/** What a run in the background works with. */
export interface DetachedContext {
  readonly state: StateFolder;
  readonly output: Output;
  readonly stop: StopSignals;
  readonly program: { readonly self: ReplicaCommand };
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
    lock?.release(); // its successor takes it
    if (running) {
      warnOfOtherScript(order, running.record, (text) => output.say("warning", text));
    }
    const options = { wait, signal: stop.signal, late: late.signal };
    const { handle, pid } = running
      ? await updateRunning(order, running, options)
      : await detach(order, { program: self, ...options });
    const silent = delay(ADVICE_TIME, { signal: stop.signal }).then(() => []);
    for (const warning of await Promise.race([context.advice, silent])) {
      output.say("warning", warning);
    }
    tell(app, handle, pid, output);
    return 0;
  } catch (error) {
    throw stop.signal.aborted && !(error instanceof MpError) ? interrupted(app) : error;
  } finally {
    clearTimeout(timer);
  }
}

function tell(app: string, handle: DeploymentHandle, pid: number, output: Output): void {
  if (output.json) return output.data({ ...handle, pid });
  for (const { address, methods } of handle.doors) {
    output.result(`listening on ${doorUrl(address)}: ${methods.join(", ")}`);
  }
  if (handle.doors.length === 0) {
    for (const text of NOTHING_EXPOSED) {
      output.say("warning", text);
    }
  }
  output.say("info", `Process ${pid} runs "${app}" in the background`);
  output.say("info", `  → mp ps, mp logs ${app} -f, mp delete ${app}`);
}

/** Has the running launcher update what it runs. */
async function updateRunning(
  order: DeployOrder,
  { launcher, record }: Running,
  { wait, signal, late }: { wait: boolean; signal: AbortSignal; late: AbortSignal },
): Promise<Detached> {
  using _ = launcher;
  const { pid } = record.launcher;
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
  const accepted = wait ? [] : [isUpdating(launcher).then(() => ({ handle: record.handle, pid }))];
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
