/**
 * What every object says of itself. Pure.
 *
 * @module
 */

import type { ObjectMeta } from "../kube_object.ts";
import { labelsOf } from "../labels.ts";

/** What an object is part of. */
export interface TreeContext {
  readonly namespace?: string;
  readonly app: string;
  /** The tree of replicas. */
  readonly tree: string;
  readonly revision: string;
}

/** The metadata of an object that belongs to a tree, and goes with it. */
export function treeMeta(
  name: string,
  { namespace, app, tree, revision }: TreeContext,
  path?: string,
): ObjectMeta & { labels: Record<string, string> } {
  return { name, ...within(namespace), labels: labelsOf({ app, tree, revision, path }) };
}

/** The metadata of an object that outlives updates. */
export function appMeta(
  name: string,
  { namespace, app }: Pick<TreeContext, "namespace" | "app">,
): ObjectMeta & { labels: Record<string, string> } {
  return { name, ...within(namespace), labels: labelsOf({ app }) };
}

function within(namespace: string | undefined): Pick<ObjectMeta, "namespace"> {
  return namespace === undefined ? {} : { namespace };
}
