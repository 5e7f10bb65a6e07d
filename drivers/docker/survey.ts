/**
 * What an engine has of apps, by labels alone.
 *
 * @module
 */

import type { Discovered } from "../../runtime/launch/driver.ts";
import { listContainers, type ListedContainer } from "./containers.ts";
import { inGroups, removeTree } from "./docker_tree.ts";
import type { Engine } from "./engine.ts";
import { dataVolume, LABELS } from "./names.ts";
import { removeImages } from "./image.ts";
import { networksWith, removeVolume, volumesWith } from "./tree_things.ts";

/** The tree of an app that is its deployment. */
export interface Surveyed extends Discovered {
  readonly tree: number;
  readonly containers: readonly ListedContainer[];
}

/** The deployments that an engine knows of, by the names of their apps. */
export async function survey(
  engine: Engine,
  { app, signal }: { readonly app?: string; readonly signal?: AbortSignal } = {},
): Promise<readonly Surveyed[]> {
  const [networks, containers] = await Promise.all([
    networksWith(engine, { [LABELS.app]: app, [LABELS.kind]: "network" }, signal),
    listContainers(engine, { [LABELS.app]: app, [LABELS.kind]: "replica" }, signal),
  ]);
  // a network of the same kind without a handle is not of this version
  const whole = networks.filter(({ Labels }) => Labels[LABELS.handle] && Labels[LABELS.plan]);
  const trees = whole.map(({ Labels }): Surveyed => {
    const own = containers.filter((one) =>
      one.Labels[LABELS.app] === Labels[LABELS.app] &&
      one.Labels[LABELS.tree] === Labels[LABELS.tree]
    );
    return {
      handle: JSON.parse(Labels[LABELS.handle]!),
      plan: JSON.parse(Labels[LABELS.plan]!),
      version: Labels[LABELS.version]!,
      tree: Number(Labels[LABELS.tree]),
      containers: own,
    };
  });
  const chosen = new Map<string, Surveyed>();
  for (const tree of trees.sort((a, b) => a.tree - b.tree)) {
    const other = chosen.get(tree.handle.app);
    // of two, left by a launcher that was killed during an update, the one that is at the door
    if (other === undefined || (!isAtDoor(other) && isAtDoor(tree))) {
      chosen.set(tree.handle.app, tree);
    }
  }
  return [...chosen.values()].sort((a, b) => a.handle.app < b.handle.app ? -1 : 1);
}

function isAtDoor({ plan, containers }: Surveyed): boolean {
  const doors = new Set(plan.doors.map(({ node }) => node));
  const own = containers.filter(({ Labels }) =>
    doors.size === 0 || doors.has(Labels[LABELS.path]!)
  );
  return own.length > 0 && own.every(({ State }) => State === "running" || State === "restarting");
}

/** Removes everything of an app but its data and its images, whoever left it. */
export async function removeApp(engine: Engine, app: string): Promise<void> {
  const labels = { [LABELS.app]: app, [LABELS.tree]: undefined };
  const trees = new Set<string>();
  for (const { Labels } of await listContainers(engine, labels)) trees.add(Labels[LABELS.tree]!);
  for (const { Labels } of await networksWith(engine, labels)) trees.add(Labels[LABELS.tree]!);
  for (const { Labels } of await volumesWith(engine, labels)) trees.add(Labels[LABELS.tree]!);
  await inGroups([...trees], (tree) => removeTree(engine, app, Number(tree)));
}

/** Removes what stays when a deployment is deleted. @returns What was removed, for a person. */
export async function purgeApp(
  engine: Engine,
  app: string,
  { images, signal }: { readonly images: boolean; readonly signal?: AbortSignal },
): Promise<string[]> {
  const removed: string[] = [];
  if (await removeVolume(engine, dataVolume(app))) removed.push(`volume ${dataVolume(app)}`);
  if (images) {
    for (const tag of await removeImages(engine, app, signal)) removed.push(`image ${tag}`);
  }
  return removed;
}
