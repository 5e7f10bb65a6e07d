/**
 * How many replicas of a part may be missing on purpose, as when a node is drained. Pure.
 *
 * @module
 */

import type { PlanNode } from "../../../runtime/plan/plan.ts";
import type { KubeObject } from "../kube_object.ts";
import { selectorOf } from "../labels.ts";
import { type TreeContext, treeMeta } from "./object_meta.ts";

/** One at a time. A part with one replica has no budget, for that would keep its node from being drained. */
export function podDisruptionBudget(
  name: string,
  node: PlanNode,
  context: TreeContext,
): KubeObject {
  const { app, tree } = context;
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: treeMeta(name, context, node.path),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: selectorOf({ app, tree, path: node.path }) },
    },
  };
}
