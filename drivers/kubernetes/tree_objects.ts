/**
 * The objects of trees of replicas: made in the order in which they need each other, and removed from the door
 * inwards.
 *
 * @module
 */

import { messageOf } from "../../runtime/errors.ts";
import { follow } from "./api/follow.ts";
import { idOf, type KubeClient } from "./api/kube_client.ts";
import { AppObjects } from "./app_objects.ts";
import { atOnce } from "./at_once.ts";
import type { KubeObject } from "./kube_object.ts";
import { LABEL, selectorOf } from "./labels.ts";
import { allObjects, type KubernetesManifest } from "./manifest.ts";
import { SECRET_FILE } from "./objects/secrets.ts";
import { POD, type Pod } from "./pod_status.ts";

/** Options of {@linkcode TreeObjects}. */
export interface TreeObjectsOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly app: string;
  /** Told of what goes wrong beside the point. */
  warn(message: string): void;
}

/** How long pods may take to go, beside what they are given to drain, in milliseconds. */
const GOING = 180_000;
/** How many requests are made at once. */
const MOST = 8;

/** See the module's documentation. */
export class TreeObjects {
  readonly objects: AppObjects;
  #options: TreeObjectsOptions;

  constructor(options: TreeObjectsOptions) {
    this.#options = options;
    this.objects = new AppObjects(options);
  }

  /** Makes everything of a tree but its doors. @throws {MpError} Whatever the cluster refuses. */
  async plant(manifest: KubernetesManifest, signal?: AbortSignal): Promise<void> {
    if (manifest.problem) throw manifest.problem;
    const objects = [...manifest.foundation, ...(manifest.note ? [manifest.note] : [])];
    const there = await this.objects.checkOwn(allObjects(manifest), signal);
    const names = new Set(there.filter(({ immutable }) => immutable).map(keyOf));
    await this.objects.apply(objects.filter((one) => !names.has(keyOf(one))).map(withSecret), {
      signal,
    });
    await this.objects.apply(manifest.workloads, { signal });
  }

  /** Gives workloads their numbers of pods, and leaves the pods as they are: another `mp` may render others. */
  async resize(workloads: readonly KubeObject[]): Promise<void> {
    await atOnce(workloads, MOST, async (one) => {
      const id = idOf(this.objects.here(one));
      await this.#options.client.merge(id, { spec: { replicas: countOf(one) } });
    });
  }

  /** Drains a tree: who takes calls from outside ends first, then those that it called. */
  async remove(tree: string): Promise<void> {
    const objects = await this.objects.list(tree);
    const workloads = objects.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
    const doors = workloads.filter(hasDoor);
    const routers = workloads.filter((one) => !hasDoor(one) && one.kind === "Deployment");
    const rest = workloads.filter((one) => !hasDoor(one) && one.kind === "StatefulSet");
    for (const wave of [doors, routers, rest]) {
      await this.objects.delete(wave);
      await this.#gone(tree, new Set(wave.map(({ metadata }) => metadata.labels?.[LABEL.path])));
    }
    await this.objects.delete(objects.filter((one) => !workloads.includes(one)));
  }

  /** Removes a tree that did not become ready, while another goes on. */
  async uproot(tree: string, stays: KubernetesManifest): Promise<void> {
    try {
      await this.objects.delete(await this.objects.list(tree));
      await this.prune(stays);
    } catch (error) {
      this.#options.warn(`what is left of the update could not be removed: ${messageOf(error)}`);
    }
  }

  /** Removes what no tree needs any more. @param stays What still runs. */
  async prune(stays?: KubernetesManifest): Promise<void> {
    const kept = new Set(stays ? namesOf(stays) : []);
    const objects = await this.objects.list();
    await this.objects.delete(objects.filter((one) => !kept.has(keyOf(one))));
  }

  /** Removes all trees of the app, and whatever else it has. */
  async removeAll(): Promise<void> {
    const trees = new Set<string>();
    for (const { metadata: { labels = {} } } of await this.objects.list()) {
      if (labels[LABEL.tree]) trees.add(labels[LABEL.tree]!);
    }
    for (const tree of trees) await this.remove(tree);
    await this.prune();
  }

  /** Resolves when parts have no pods, or they take too long. */
  async #gone(tree: string, paths: ReadonlySet<string | undefined>): Promise<void> {
    if (paths.size === 0) return;
    const { client, namespace, app, warn } = this.#options;
    const signal = AbortSignal.timeout(GOING);
    try {
      const options = { namespace, labels: selectorOf({ app, tree }), signal };
      for await (const pods of follow<Pod>(client, POD, options)) {
        if (!pods.some(({ metadata }) => paths.has(metadata.labels?.[LABEL.path]))) return;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    warn(`pods of ${[...paths].join(", ")} take long to end; they are left to the cluster`);
  }
}

/** How many pods a workload has. */
export function countOf(workload: KubeObject | undefined): number {
  return Number(workload?.spec?.replicas ?? 0);
}

function keyOf(object: KubeObject): string {
  const { kind, name } = idOf(object);
  return `${kind} ${name}`;
}

function namesOf(manifest: KubernetesManifest): string[] {
  const note = manifest.note ? [manifest.note] : [];
  return [...allObjects(manifest), ...note].map(keyOf);
}

interface Templated {
  readonly template?: {
    readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  };
}

function hasDoor({ spec }: KubeObject): boolean {
  return (spec as Templated | undefined)?.template?.metadata?.labels?.[LABEL.door] !== undefined;
}

/** The deployment's secret is made when it is needed, and stays with its tree. */
function withSecret(object: KubeObject): KubeObject {
  if (object.kind !== "Secret" || object.data?.[SECRET_FILE] === undefined) return object;
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { ...object, data: { ...object.data, [SECRET_FILE]: btoa(text) } };
}
