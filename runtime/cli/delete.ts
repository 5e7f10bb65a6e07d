/** `mp delete`. @module */

import { claimApp } from "../launch/claim_app.ts";
import { optional } from "./argument.ts";
import { command } from "./command.ts";
import { deploymentOf, findDeployment, userState } from "./find_deployment.ts";

/** Stops a deployment and removes what it left. */
export const deleteDeployment = command({
  description: [
    "Every replica is drained and stopped, and the logs are removed. Of an app that is not running, the logs are removed.",
  ],
  arguments: {
    app: optional({
      shown: "APP|SCRIPT",
      description: "The app, or its script; not needed when only one is running",
      candidates: "app",
    }),
  },
  options: {},
  examples: [{ line: "mp delete search", does: "Stop and remove the app search" }],
  async run({ arguments: { app: name }, output, program, signal }) {
    const state = userState(program);
    const running = await state.list();
    const ended = name === undefined || deploymentOf(running, name)
      ? undefined
      : deploymentOf(await state.listEnded(), name);
    const left = name !== undefined && !ended && (await state.apps()).includes(name);
    const app = left ? name : (ended ?? findDeployment(running, name)).handle.app;
    let stopped = false;
    for (;;) {
      const { running, lock } = await claimApp(state, app, signal);
      if (lock) {
        await state.clear(app);
        await state.remove(app);
        lock.release();
        break;
      }
      using launcher = running.launcher;
      await launcher.delete();
      await launcher.closed;
      stopped = true;
    }
    if (output.json) output.data({ app, stopped, deleted: true });
    else output.say("info", stopped ? `Stopped and deleted "${app}"` : `Deleted "${app}"`);
  },
});
