/**
 * A launcher for a deployment that goes on without one.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { claimApp } from "./claim_app.ts";
import type { RemoteLauncher } from "./connect_launcher.ts";
import type { DeploymentHandle, Driver, ReplicaCommand } from "./driver.ts";
import { replan, replicaEntry } from "./prepare.ts";
import { replicaCommand } from "./serving_half.ts";
import { adoptLauncher } from "./start_launcher.ts";
import type { StateFolder } from "./state.ts";

/** Options of {@linkcode recoverLauncher}. */
export interface RecoverOptions {
  readonly driver: Driver;
  readonly state: StateFolder;
}

/**
 * Takes a deployment up from its platform. Whoever gets it disposes it, and the deployment goes on.
 *
 * Nothing keeps others from doing so too: each change holds the app's lock while it is made.
 *
 * @throws {MpError} `deployment_not_found` when it is gone.
 */
export async function recoverLauncher(
  handle: DeploymentHandle,
  { driver, state }: RecoverOptions,
): Promise<RemoteLauncher> {
  const { app } = handle;
  const logs = state.folder(app);
  const recovered = await driver.recover?.(handle, { logs });
  if (!recovered) {
    throw new MpError("deployment_not_found", `Cannot find deployment "${app}": it is gone`, {
      next: "See what runs with mp ps",
    });
  }
  let command: ReplicaCommand | undefined;
  const launcher = await adoptLauncher(recovered, {
    driver,
    state,
    // replicas elsewhere are started in another way; only plans are made here
    command: () => command ?? { command: "mp", args: [] },
    async replan(order, widths) {
      command ??= replicaCommand(await replicaEntry());
      return await replan(order, widths);
    },
    exclusively: async (change) => {
      const { lock, running } = await claimApp(state, app, new AbortController().signal);
      if (running) {
        running.launcher[Symbol.dispose]();
        throw new MpError("unsupported", `Cannot change "${app}": another driver runs it too`, {
          next: `Delete that one with mp delete ${app}`,
        });
      }
      try {
        return await change();
      } finally {
        // files that only the change needed
        await state.clear(app);
        lock.release();
      }
    },
  });
  return {
    status: () => launcher.status(),
    storage: () => launcher.storage(),
    ready: (signal) => launcher.ready(signal),
    update: (order) => launcher.update(order),
    restart: (replicas) => launcher.restart(replicas),
    scale: (order) => launcher.scale(order),
    delete: () => launcher.delete(),
    news: (signal) => launcher.news(signal),
    closed: launcher.ended,
    [Symbol.dispose]: () => void launcher.leave(),
  };
}
