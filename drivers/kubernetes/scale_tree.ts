/**
 * Other numbers of replicas in a tree that runs: the address book goes before those that are new, and before those
 * that end.
 *
 * @module
 */

import { messageOf } from "../../runtime/errors.ts";
import type { KubeClient } from "./api/kube_client.ts";
import { atOnce } from "./at_once.ts";
import type { KubeObject } from "./kube_object.ts";
import { boardTree, type KubernetesManifest } from "./manifest.ts";
import { bookConfigMap } from "./objects/config_maps.ts";
import { POD } from "./pod_status.ts";
import type { PodWatch } from "./pod_watch.ts";
import { countOf, type TreeObjects } from "./tree_objects.ts";
import { untilReady } from "./until_ready.ts";

/** Options of {@linkcode scaleTree}. */
export interface ScaleTreeOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly watch: PodWatch;
  readonly trees: TreeObjects;
  warn(message: string): void;
  /** Told how the tree is from now on, before replicas end or when it is scaled back. */
  onManifest(manifest: KubernetesManifest): void;
}

/** Scales a tree. @throws {MpError} Why replicas do not become ready; it is as it was before then. */
export async function scaleTree(
  before: KubernetesManifest,
  rendered: KubernetesManifest,
  options: ScaleTreeOptions,
): Promise<void> {
  const { watch, trees, onManifest } = options;
  const grown = rendered.workloads.filter((one) => countOf(one) > countOf(find(before, one)));
  const shrunk = rendered.workloads.filter((one) => countOf(one) < countOf(find(before, one)));
  const budgets = rendered.foundation.filter(({ kind }) => kind === "PodDisruptionBudget");
  watch.board.add(boardTree(rendered));
  try {
    // a replica that starts looks for itself in the book; others pass it over until it answers
    await trees.objects.apply([...files(rendered), ...budgets]);
    await trees.resize(grown);
    await untilReady(rendered, options);
  } catch (error) {
    await scaleBack(before, rendered, grown, options);
    throw error;
  }
  onManifest(rendered);
  await nudge(rendered, options);
  await trees.resize(shrunk);
  await watch.until(() =>
    watch.board.of(rendered.tree).every(({ path, index }) => index < replicasOf(rendered, path))
  );
}

/** Makes a tree as it was before it was scaled. Those that know the new book follow a newer one. */
async function scaleBack(
  before: KubernetesManifest,
  { book: { generation } }: KubernetesManifest,
  grown: readonly KubeObject[],
  options: ScaleTreeOptions,
): Promise<void> {
  const { namespace, watch, trees, warn, onManifest } = options;
  const book = { ...before.book, generation: generation + 1 };
  watch.board.add(boardTree(before));
  try {
    await trees.resize(grown.map((one) => find(before, one)!));
    const { app, tree, plan: { revision } } = before;
    await trees.objects.apply([bookConfigMap(book, { namespace, app, tree, revision })]);
    const manifest = { ...before, book };
    onManifest(manifest);
    await nudge(manifest, options);
  } catch (error) {
    warn(`it could not be scaled back: ${messageOf(error)}`);
  }
}

/** Has the nodes look at the address book now; by themselves they do within a minute or two. */
async function nudge(
  { tree, book: { generation } }: KubernetesManifest,
  { client, namespace, watch }: ScaleTreeOptions,
): Promise<void> {
  const annotations = { "metaparticle.io/generation": String(generation) };
  const pods = watch.board.of(tree).filter(({ judgement }) => judgement.state !== "draining");
  await atOnce(pods, 8, async ({ pod: { metadata: { name } } }) => {
    // who may not do this waits a little longer
    await client.merge({ ...POD, name, namespace }, { metadata: { annotations } }).catch(() => {});
  });
}

function find({ workloads }: KubernetesManifest, { metadata: { name } }: KubeObject) {
  return workloads.find((one) => one.metadata.name === name);
}

function replicasOf({ plan }: KubernetesManifest, path: string): number {
  return plan.nodes.find((node) => node.path === path)?.replicas ?? 0;
}

/** What of a tree changes when it is scaled: the address book, and the note. */
function files({ foundation, note, book }: KubernetesManifest): KubeObject[] {
  const books = foundation.filter(({ data }) => data?.["book.json"] !== undefined);
  return book && note ? [...books, note] : books;
}
