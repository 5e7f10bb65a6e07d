/**
 * What an engine has of apps, by labels alone.
 *
 * @module
 */

import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type { Discovered } from "../../runtime/launch/driver.ts";
import { getFiles, listContainers, type ListedContainer } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { removeImages } from "./image.ts";
import { PLACES } from "./manifest.ts";
import { dataVolume, LABELS } from "./names.ts";
import { removeApp } from "./remove_tree.ts";
import { removeVolume, volumesWith } from "./tree_things.ts";

/** The tree of an app that is its deployment. */
export interface Surveyed extends Discovered {
  readonly tree: number;
  /** Its containers. */
  readonly containers: readonly ListedContainer[];
}

/** Which deployments are looked for. */
export interface SurveyOptions {
  /** One app, whosever it is. */
  readonly app?: string;
  /** Without an app, only what this user has launched; of all users unless given. */
  readonly user?: string;
  readonly signal?: AbortSignal;
}

/** The deployments that an engine knows of, by the names of their apps. */
export async function survey(
  engine: Engine,
  { app, user, signal }: SurveyOptions = {},
): Promise<readonly Surveyed[]> {
  const [volumes, containers] = await Promise.all([
    volumesWith(engine, { [LABELS.app]: app, [LABELS.kind]: "run" }, signal),
    listContainers(engine, { [LABELS.app]: app, [LABELS.kind]: "replica" }, signal),
  ]);
  const own = volumes.filter(({ Labels }) =>
    // a volume of the same kind without a handle is not of this version
    Labels[LABELS.handle] && Labels[LABELS.plan] &&
    (app !== undefined || user === undefined || Labels[LABELS.user] === user)
  );
  const trees = own.map(({ Labels }): Surveyed => ({
    handle: JSON.parse(Labels[LABELS.handle]!),
    plan: JSON.parse(Labels[LABELS.plan]!),
    version: Labels[LABELS.version]!,
    tree: Number(Labels[LABELS.tree]),
    containers: containers.filter((one) =>
      one.Labels[LABELS.app] === Labels[LABELS.app] &&
      one.Labels[LABELS.tree] === Labels[LABELS.tree]
    ),
  }));
  const byApp = Map.groupBy(trees.filter(isWhole), ({ handle }) => handle.app);
  const current = await Promise.all(
    [...byApp.values()].map((trees) => currentTree(engine, trees, signal)),
  );
  return current.sort((a, b) => a.handle.app < b.handle.app ? -1 : 1);
}

/**
 * Whether a tree is more than what a launch has left that was killed, or whose engine ended: then some containers were
 * made, and not started. The next launch, or `mp delete`, removes that.
 */
function isWhole({ plan, containers }: Surveyed): boolean {
  const started = containers.filter(({ State }) => State !== "created");
  if (started.length === containers.length) return containers.length > 0;
  // some are added to those there were
  return started.length >= plan.nodes.reduce((sum, { replicas }) => sum + replicas, 0);
}

/** Of the trees of an app the one to which the doors lead; of others only containers that keep a port are left. */
async function currentTree(
  engine: Engine,
  trees: Surveyed[],
  signal: AbortSignal | undefined,
): Promise<Surveyed> {
  const [first, ...others] = trees.sort((a, b) => a.tree - b.tree);
  if (others.length === 0) return first!;
  for (const { containers } of trees) {
    const holder = containers.find(({ Labels }) => Labels[LABELS.ports] !== undefined);
    if (holder === undefined) continue;
    const files = await getFiles(engine, holder.Id, PLACES.book, signal);
    const to = treePassedTo(JSON.parse(files.get("book.json")!));
    const found = trees.find(({ tree }) => tree === to);
    if (found !== undefined) return found;
  }
  return first!;
}

/** The number of the tree to which a keeper passes on; nothing where it answers by itself. */
function treePassedTo({ doors }: AddressBook): number | undefined {
  const match = doors.map(({ passTo }) => /\.t(\d+):\d+$/.exec(passTo ?? "")).find(Boolean);
  return match ? Number(match[1]) : undefined;
}

/** Removes what stays when a deployment is deleted. @returns What was removed, for a person. */
export async function purgeApp(
  engine: Engine,
  app: string,
  { images, signal }: { readonly images: boolean; readonly signal?: AbortSignal },
): Promise<string[]> {
  const removed: string[] = [];
  // what is left of a launch that was killed
  await removeApp(engine, app);
  if (await removeVolume(engine, dataVolume(app))) removed.push(`volume ${dataVolume(app)}`);
  if (images) {
    for (const tag of await removeImages(engine, app, signal)) removed.push(`image ${tag}`);
  }
  return removed;
}
