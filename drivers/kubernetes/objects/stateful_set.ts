/**
 * An indexed part: each pod keeps its name. Pure.
 *
 * @module
 */

import type { PlanNode } from "../../../runtime/plan/plan.ts";
import type { KubeObject } from "../kube_object.ts";
import { selectorOf } from "../labels.ts";
import { treeMeta } from "./object_meta.ts";
import { type PodContext, type PodDoor, podTemplate } from "./pod_template.ts";

/** Renders a StatefulSet; its headless Service has the same name. */
export function statefulSet(
  name: string,
  node: PlanNode,
  doors: readonly PodDoor[],
  context: PodContext,
): KubeObject {
  const { app, tree } = context;
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: treeMeta(name, context, node.path),
    spec: {
      serviceName: name,
      replicas: node.replicas,
      // replicas wait for each other, so none may wait for the one before to be ready
      podManagementPolicy: "Parallel",
      revisionHistoryLimit: 1,
      selector: { matchLabels: selectorOf({ app, tree, path: node.path }) },
      updateStrategy: { type: "RollingUpdate" },
      template: podTemplate(node, true, doors, context),
    },
  };
}
