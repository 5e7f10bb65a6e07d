/**
 * How things are named and labelled in an engine. Pure.
 *
 * @module
 */

import type { ReplicaId } from "../../runtime/launch/driver.ts";

/** Labels of everything that belongs to a deployment. */
export const LABELS = Object.freeze({
  /** The app. On images, volumes, networks and containers. */
  app: "mp.app",
  /** What it is: `replica`, `network`, `run` (book and secret), `data`, `image`, `runtime`. */
  kind: "mp.kind",
  /** Counts the trees of replicas, from 1. */
  tree: "mp.tree",
  path: "mp.path",
  index: "mp.index",
  revision: "mp.revision",
  /** The version of `mp`. */
  version: "mp.version",
  /** On containers that publish ports: where callers find these; JSON. */
  ports: "mp.ports",
  /** On the volumes of trees: where the deployment is reached, and its plan; JSON. */
  handle: "mp.handle",
  /** On the volumes of trees: who has launched it. An engine may serve many. */
  user: "mp.user",
  plan: "mp.plan",
});

/** The ports at which every replica listens in its own network. */
export const PEER_PORT = 4000;
export const HTTP_PORT = 4001;
/** The port of the first door, in the network of the replica that opens it. */
export const DOOR_PORT = 3000;

/** `histogram.histogram-service.scatter.3`, as `docker ps` shows it. */
export function containerName(app: string, { path, index }: ReplicaId): string {
  return `${app}.${path}.${index}`;
}

/** What a container is called until the tree before it is gone. */
export function freshName(name: string, tree: number): string {
  return `${name}.t${tree}`;
}

/**
 * The name by which replicas of a tree find each other, `3.histogram-service.scatter.t1`. It ends in a letter
 * and a number, since a host whose name ends in a number is taken for an address in URLs.
 */
export function hostName({ path, index }: ReplicaId, tree: number): string {
  return `${index}.${path}.t${tree}`;
}

/** What a container is called that has a published port, and passes on what comes in to a later tree. */
export function keeperName(app: string, id: string): string {
  return `${app}.door-${id.slice(0, 6)}`;
}

/** The network of a deployment. */
export function networkName(app: string): string {
  return `mp-${app}`;
}

/** The volume with book and secret of a tree of replicas. */
export function treeName(app: string, tree: number): string {
  return `mp-${app}-${tree}`;
}

/** The volume with the data of the storage `file`. */
export function dataVolume(app: string): string {
  return `mp-${app}-data`;
}

/** Who somebody is on this machine. @param env Reads a variable of the environment. */
export function userOf(env: (name: string) => string | undefined): string {
  return env("USER") ?? env("USERNAME") ?? String(Deno.uid() ?? "");
}

/** Something in an engine that has labels. */
export interface Labelled {
  readonly Labels: Readonly<Record<string, string>> | null;
}

/**
 * Those of what an engine lists that have all labels. Some engines take a filter with several labels for those that
 * have any, and what is listed here may be removed.
 */
export function labelled<T extends Labelled>(
  listed: readonly T[] | null,
  wanted: Readonly<Record<string, string | undefined>>,
): T[] {
  return (listed ?? []).filter(({ Labels }) =>
    Object.entries(wanted).every(([name, value]) =>
      Labels?.[name] !== undefined && (value === undefined || Labels[name] === value)
    )
  );
}

/** The filter of the Engine API for things with labels; see {@linkcode labelled}. */
export function withLabels(labels: Readonly<Record<string, string | undefined>>): string {
  const label = Object.entries(labels)
    .map(([name, value]) => value === undefined ? name : `${name}=${value}`);
  return JSON.stringify({ label });
}
