/**
 * A service's own router, or the ingress: pods that are all alike. Pure.
 *
 * @module
 */

import type { PlanNode } from "../../../runtime/plan/plan.ts";
import type { KubeObject } from "../kube_object.ts";
import { selectorOf } from "../labels.ts";
import { treeMeta } from "./object_meta.ts";
import { type PodContext, type PodDoor, podTemplate } from "./pod_template.ts";

/** Renders a Deployment. */
export function deployment(
  name: string,
  node: PlanNode,
  doors: readonly PodDoor[],
  context: PodContext,
): KubeObject {
  const { app, tree, claim } = context;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: treeMeta(name, context, node.path),
    spec: {
      replicas: node.replicas,
      revisionHistoryLimit: 1,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: selectorOf({ app, tree, path: node.path }) },
      // a claim is held by one pod at a time
      strategy: claim !== undefined
        ? { type: "Recreate" }
        : { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: podTemplate(node, false, doors, context),
    },
  };
}
