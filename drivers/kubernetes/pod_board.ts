/**
 * Which pod is which replica.
 *
 * @module
 */

import type { ReplicaId, ReplicaStatus } from "../../runtime/launch/driver.ts";
import type { Plan } from "../../runtime/plan/plan.ts";
import { workloadKind } from "./assign.ts";
import { LABEL } from "./labels.ts";
import { labelValue } from "./kube_name.ts";
import { judgePod, type Pod, type PodJudgement } from "./pod_status.ts";

/** A tree of replicas, as pods say it. */
export interface BoardTree {
  /** The value of the label. */
  readonly name: string;
  /** Counts the trees of a deployment. */
  readonly number: number;
  readonly plan: Plan;
}

/** A replica with its pod. */
export interface Seen extends ReplicaId {
  readonly tree: BoardTree;
  readonly pod: Pod;
  readonly judgement: PodJudgement;
}

/** Keeps pods of known trees apart. Those of a Deployment keep the number that they got first. */
export class PodBoard {
  #trees = new Map<string, BoardTree>();
  /** The index of each pod of a Deployment, by its uid. */
  #indices = new Map<string, number>();
  /** Restarts that were asked for, by replica. */
  #restarts = new Map<string, number>();
  #seen: readonly Seen[] = [];
  #listed = false;

  /** Counts a tree in. */
  add(tree: BoardTree): void {
    this.#trees.set(tree.name, tree);
  }

  /** Leaves a tree out from now on. */
  remove(name: string): void {
    this.#trees.delete(name);
    this.#seen = this.#seen.filter(({ tree }) => tree.name !== name);
  }

  /** Whether pods have been listed at all. */
  get listed(): boolean {
    return this.#listed;
  }

  /** Every replica that has a pod. One that is replaced may have two. */
  get seen(): readonly Seen[] {
    return this.#seen;
  }

  /** Takes all pods that there are. */
  take(pods: readonly Pod[]): void {
    this.#listed = true;
    // of those that are new the oldest comes first; one that ends leaves its number to its successor
    const sorted = [...pods].sort((a, b) => orderOf(a) < orderOf(b) ? -1 : 1);
    const places = sorted.flatMap((pod) => this.#place(pod) ?? []);
    const before = this.#indices;
    this.#indices = new Map();
    const taken = new Set<string>();
    const claim = ({ key, uid, replicas }: Place, index: number | undefined): boolean => {
      if (index === undefined || index >= replicas || taken.has(`${key}/${index}`)) return false;
      taken.add(`${key}/${index}`);
      this.#indices.set(uid, index);
      return true;
    };
    const alike = places.filter(({ index }) => index === undefined);
    const living = alike.filter(({ pod }) => pod.metadata.deletionTimestamp === undefined);
    const fresh = living.filter((place) => !claim(place, before.get(place.uid)));
    for (const place of fresh) {
      let index = 0;
      while (taken.has(`${place.key}/${index}`)) index++;
      if (!claim(place, index)) this.#indices.set(place.uid, index);
    }
    for (const { uid } of alike) {
      if (!this.#indices.has(uid)) this.#indices.set(uid, before.get(uid) ?? 0);
    }
    this.#seen = places.map(({ pod, tree, path, uid, index = this.#indices.get(uid)! }) => ({
      path,
      index,
      tree,
      pod,
      judgement: judgePod(pod),
    }));
  }

  /** The pods of a tree. */
  of(name: string): readonly Seen[] {
    return this.#seen.filter(({ tree }) => tree.name === name);
  }

  /** Counts a restart that was asked for: another pod takes the place of one. */
  restarted({ path, index }: ReplicaId): void {
    const key = `${path}.${index}`;
    this.#restarts.set(key, (this.#restarts.get(key) ?? 0) + 1);
  }

  /** What is known of every replica of every tree. */
  statuses(): ReplicaStatus[] {
    return [...this.#trees.keys()].flatMap((name) => this.status(name));
  }

  /** What is known of every replica of a tree, with those that have no pod yet. */
  status(name: string): ReplicaStatus[] {
    const tree = this.#trees.get(name);
    if (!tree) return [];
    const seen = this.of(name);
    return tree.plan.nodes.flatMap(({ path, replicas }) =>
      Array.from({ length: replicas }, (_, index): ReplicaStatus => {
        const own = seen.filter((one) => one.path === path && one.index === index);
        const best = own.find(({ judgement }) => judgement.state !== "draining") ?? own[0];
        return best
          ? this.#statusOf(best)
          : { path, index, tree: tree.number, state: "starting", restarts: 0 };
      })
    );
  }

  #statusOf({ path, index, tree, judgement }: Seen): ReplicaStatus {
    const { stuck: _, unschedulableSince: __, restarts, ...rest } = judgement;
    const asked = this.#restarts.get(`${path}.${index}`) ?? 0;
    return { path, index, tree: tree.number, restarts: restarts + asked, ...rest };
  }

  #place(pod: Pod): Place | undefined {
    const { labels = {}, name, uid } = pod.metadata;
    const tree = this.#trees.get(labels[LABEL.tree] ?? "");
    const node = tree?.plan.nodes.find(({ path }) => labelValue(path) === labels[LABEL.path]);
    if (!tree || !node) return undefined;
    const { path, replicas } = node;
    const isIndexed = workloadKind(tree.plan, node) === "StatefulSet";
    const ordinal = isIndexed ? Number(/-(\d+)$/.exec(name)?.[1] ?? 0) : undefined;
    return { pod, tree, path, uid, replicas, key: `${tree.name}/${path}`, index: ordinal };
  }
}

interface Place {
  readonly pod: Pod;
  readonly uid: string;
  readonly tree: BoardTree;
  readonly path: string;
  readonly replicas: number;
  /** The tree and the path. */
  readonly key: string;
  /** The ordinal of a pod that has one. */
  readonly index: number | undefined;
}

function orderOf({ metadata }: Pod): string {
  return `${
    metadata.deletionTimestamp === undefined ? 0 : 1
  }${metadata.creationTimestamp} ${metadata.name}`;
}
