/** `mp delete`. @module */

import { claimApp } from "../launch/claim_app.ts";
import { optional } from "./argument.ts";
import { command } from "./command.ts";
import { driverOf, listDeployments, reachLauncher } from "./deployments.ts";
import { deploymentOf, findDeployment, userState } from "./find_deployment.ts";
import { flag } from "./option.ts";
import { placeOf, placeOptions } from "./place_options.ts";

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
  options: {
    ...placeOptions,
    images: flag({ description: "Remove its images too, where it ran in containers" }),
  },
  examples: [{ line: "mp delete search", does: "Stop and remove the app search" }],
  async run({ arguments: { app: name }, options, output, program, signal }) {
    const { images } = options;
    const place = placeOf(options);
    const state = userState(program);
    const running = await listDeployments(program, { name, place, output });
    const ended = name === undefined || place !== undefined || deploymentOf(running, name)
      ? undefined
      : deploymentOf(await state.listEnded(), name);
    const left = name !== undefined && place === undefined && !ended &&
      !deploymentOf(running, name) &&
      (await state.apps()).includes(name);
    const known = left ? undefined : ended ?? findDeployment(running, name);
    const app = known?.handle.app ?? name!;
    let stopped = false;
    if (known && !ended && !known.control) {
      using launcher = await reachLauncher(known, program);
      await launcher.delete();
      stopped = true;
    }
    // what this user runs here under the same name is something else
    const isElsewhere = place !== undefined && stopped;
    while (!isElsewhere) {
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
    // data and images are their platform's
    const removed = await (known && (await driverOf(known, program)).purge)?.(app, {
      images,
      signal,
    });
    if (output.json) output.data({ app, stopped, deleted: true, ...(removed && { removed }) });
    else {
      output.say("info", stopped ? `Stopped and deleted "${app}"` : `Deleted "${app}"`);
      for (const what of removed ?? []) output.say("info", `  ${what}`);
    }
  },
});
