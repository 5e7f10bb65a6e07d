/**
 * The labels by which everything is found. Pure.
 *
 * @module
 */

import { labelValue } from "./kube_name.ts";

/** What an object belongs to. */
export interface Belonging {
  readonly app: string;
  /** The tree of replicas; what outlives an update has none. */
  readonly tree?: string;
  readonly revision?: string;
  readonly path?: string;
}

/** Who manages the objects, as labels and field managers say it. */
export const MANAGER = "mp";

/** Names of labels and annotations. */
export const LABEL = Object.freeze({
  managedBy: "app.kubernetes.io/managed-by",
  app: "metaparticle.io/app",
  tree: "metaparticle.io/tree",
  path: "metaparticle.io/path",
  door: "metaparticle.io/door",
  metrics: "metaparticle.io/metrics",
});

/** All labels of an object. */
export function labelsOf({ app, tree, revision, path }: Belonging): Record<string, string> {
  return {
    "app.kubernetes.io/name": labelValue(app),
    "app.kubernetes.io/instance": labelValue(app),
    ...(path !== undefined && { "app.kubernetes.io/component": labelValue(path) }),
    "app.kubernetes.io/part-of": labelValue(app),
    ...(revision !== undefined && { "app.kubernetes.io/version": labelValue(revision) }),
    [LABEL.managedBy]: MANAGER,
    ...selectorOf({ app, tree, path }),
  };
}

/** The labels that select the pods of a part, of a tree, or of an app. */
export function selectorOf({ app, tree, path }: Belonging): Record<string, string> {
  return {
    [LABEL.app]: labelValue(app),
    ...(tree !== undefined && { [LABEL.tree]: tree }),
    ...(path !== undefined && { [LABEL.path]: labelValue(path) }),
  };
}

/** A selector as the API's query wants it. */
export function selectorText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`).join(",");
}
