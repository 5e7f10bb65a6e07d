/** `mp restart`. @module */

import { MpError } from "../errors.ts";
import type { ReplicaId } from "../launch/driver.ts";
import type { Plan } from "../plan/plan.ts";
import { findReplicas, replicaLabel } from "../plan/replica_labels.ts";
import { remaining } from "./argument.ts";
import { command } from "./command.ts";
import { listDeployments, reachLauncher } from "./deployments.ts";
import { takeDeployment } from "./find_deployment.ts";
import { didYouMean } from "./near_name.ts";
import { usage } from "./option.ts";
import { placeOf, placeOptions } from "./place_options.ts";

/** Restarts replicas. */
export const restart = command({
  description: [
    "A path names all its replicas, a path with an index one of them, a service all that belong to it. " +
    "Each is drained, stopped, and started again at the same address.",
  ],
  arguments: {
    words: remaining({
      required: true,
      shown: "[APP] PATH[.INDEX]",
      description: "What to restart, after the app if several are running",
      candidates: "app or path",
    }),
  },
  options: placeOptions,
  examples: [
    { line: "mp restart search.scatter.3", does: "One replica" },
    { line: "mp restart search search.scatter", does: "All replicas of a path, of the app search" },
  ],
  async run({ arguments: { words }, options, output, program }) {
    const records = await listDeployments(program, {
      name: words[0],
      place: placeOf(options),
      output,
    });
    const { record, rest } = takeDeployment(records, words);
    const { plan, handle } = record;
    if (rest.length === 0) {
      throw usage(`Cannot restart "${handle.app}": no path is named`, {
        next: `Name some of ${plan.nodes.map(({ path }) => path).join(", ")}`,
      });
    }
    const replicas = rest.flatMap((name) => replicasOf(plan, name));
    using launcher = await reachLauncher(record, program);
    await launcher.restart(replicas);
    if (output.json) output.data({ app: handle.app, restarted: replicas });
    else {
      const [first] = replicas;
      const what = replicas.length === 1
        ? replicaLabel(plan, first!)
        : `${replicas.length} replicas of "${handle.app}"`;
      output.say("info", `Restarted ${what}`);
    }
  },
});

function replicasOf(plan: Plan, name: string): ReplicaId[] {
  const found = findReplicas(plan, name);
  if (found.length > 0) return found;
  const paths = plan.nodes.map(({ path }) => path);
  throw new MpError("deployment_not_found", `Cannot find "${name}": "${plan.app}" has none`, {
    next: didYouMean(name, paths, `The paths are ${paths.join(", ")}`),
  });
}
