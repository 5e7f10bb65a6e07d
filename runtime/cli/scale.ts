/** `mp scale`. @module */

import { checkScale } from "../launch/check_scale.ts";
import type { Plan } from "../plan/plan.ts";
import { remaining } from "./argument.ts";
import { command } from "./command.ts";
import { readCount } from "./deploy_options.ts";
import { listDeployments, reachLauncher } from "./deployments.ts";
import { takeDeployment } from "./find_deployment.ts";
import { flag, usage } from "./option.ts";
import { placeOf, placeOptions } from "./place_options.ts";

/** Changes how many replicas of a part run. */
export const scale = command({
  description: [
    "Replicas of parts without state are added and removed while the others go on. For other parts, and for the " +
    "one replica that callers reach without an ingress before it, all replicas of the app " +
    "are started anew beside the old, and take over when all are ready. Of a part of a part, N is the number " +
    "for each instance above it. The numbers hold until the app is run again.",
  ],
  arguments: {
    words: remaining({
      required: true,
      shown: "[APP] PATH=N",
      description: "How many, after the app if several are running",
      candidates: "count",
    }),
  },
  options: {
    ...placeOptions,
    rehash: flag({ description: "Let keys move to other replicas, where keys find their replica" }),
  },
  examples: [
    { line: "mp scale search.gather=3", does: "Three routers" },
    { line: "mp scale shop users.compute=8 --rehash", does: "Eight shards, of the app shop" },
  ],
  async run({ arguments: { words }, options, output, program }) {
    const { rehash } = options;
    const records = await listDeployments(program, {
      name: words[0],
      place: placeOf(options),
      output,
    });
    const { record, rest } = takeDeployment(records, words);
    const counts = rest.map(readScale);
    if (counts.length === 0) {
      throw usage(`Cannot scale "${record.handle.app}": no number is given`, {
        next: "Give a path and a number, such as search.gather=3",
      });
    }
    // all of them before the first: of two changes, one wrong, none is made
    for (const count of counts) checkScale(record.plan, { ...count, rehash });
    using launcher = await reachLauncher(record, program);
    let before = record.plan;
    for (const { path, replicas } of counts) {
      const { how, plan } = await launcher.scale({ path, replicas, rehash });
      const node = plan.nodes.find((one) => one.path === path)!;
      if (output.json) output.data({ app: plan.app, path, replicas: node.replicas, how });
      else {
        const done = how === "unchanged" ? "has" : "now has";
        const count = `${node.replicas} ${node.replicas === 1 ? "replica" : "replicas"}`;
        output.say("info", `${path} ${done} ${count}`);
        if (how === "new tree") output.say("info", replaced(before, plan, path));
      }
      before = plan;
    }
  },
});

/** Says that more has changed than was asked for, and why. */
function replaced(before: Plan, { app, doors }: Plan, path: string): string {
  const moved = doors.find((door, i) => door.node !== before.doors[i]?.node);
  const why = moved
    ? `for callers come in through ${moved.node} now`
    : `for those of ${path} depend on how many they are`;
  return `  Every replica of "${app}" was replaced, ${why}`;
}

function readScale(word: string): { readonly path: string; readonly replicas: number } {
  const at = word.lastIndexOf("=");
  if (at < 1) {
    throw usage(`Cannot read "${word}": it is not PATH=N`, {
      next: "Give a path and a number, such as search.gather=3",
    });
  }
  const path = word.slice(0, at);
  return { path, replicas: readCount(word.slice(at + 1), `${path}=`) };
}
