/**
 * The end of a tree of replicas, and of everything of an app.
 *
 * @module
 */

import { listContainers, removeContainer } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { inGroups } from "./in_groups.ts";
import { LABELS } from "./names.ts";
import { networksWith, removeNetworks, removeVolumes, volumesWith } from "./tree_things.ts";

/**
 * Removes the containers and the volume of a tree.
 *
 * @param kept Containers that stay, with the volume that they read.
 */
export async function removeTree(
  engine: Engine,
  app: string,
  tree: number,
  kept: ReadonlySet<string> = new Set(),
): Promise<void> {
  const labels = { [LABELS.app]: app, [LABELS.tree]: String(tree) };
  const containers = await listContainers(engine, labels);
  const removed = containers.filter(({ Id }) => !kept.has(Id));
  await inGroups(removed, ({ Id }, gone) => removeContainer(engine, Id, gone));
  if (removed.length === containers.length) await removeVolumes(engine, labels);
}

/** Removes everything of an app but its data and its images, whoever left it. */
export async function removeApp(engine: Engine, app: string): Promise<void> {
  const labels = { [LABELS.app]: app, [LABELS.tree]: undefined };
  const network = { [LABELS.app]: app, [LABELS.kind]: "network" };
  const [containers, volumes, networks] = await Promise.all([
    listContainers(engine, labels),
    volumesWith(engine, labels),
    networksWith(engine, network),
  ]);
  await inGroups(containers, ({ Id }, gone) => removeContainer(engine, Id, gone));
  if (volumes.length > 0) await removeVolumes(engine, labels);
  if (networks.length > 0) await removeNetworks(engine, network);
}
