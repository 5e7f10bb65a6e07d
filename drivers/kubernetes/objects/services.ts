/**
 * Services: names in DNS for the pods of a part, and the doors of a deployment. Pure.
 *
 * @module
 */

import type { PlanNode } from "../../../runtime/plan/plan.ts";
import type { KubeObject } from "../kube_object.ts";
import { selectorOf } from "../labels.ts";
import { HTTP_PORT, PEER_PORT } from "../ports.ts";
import { appMeta, type TreeContext, treeMeta } from "./object_meta.ts";

/** How callers outside the cluster reach a door. */
export type DoorType = "ClusterIP" | "NodePort" | "LoadBalancer";

/**
 * The headless Service of a part. Its pods are found before they are ready, for they wait for each other; of
 * pods that are all alike only those that are ready.
 */
export function headlessService(
  name: string,
  node: PlanNode,
  indexed: boolean,
  context: TreeContext,
): KubeObject {
  const { app, tree } = context;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: treeMeta(name, context, node.path),
    spec: {
      type: "ClusterIP",
      clusterIP: "None",
      // what says the default is dropped by the server, and kubectl would find a difference each time
      ...(indexed && { publishNotReadyAddresses: true }),
      selector: selectorOf({ app, tree, path: node.path }),
      ports: [
        { name: "peer", port: PEER_PORT, targetPort: "peer", protocol: "TCP" },
        { name: "http", port: HTTP_PORT, targetPort: "http", protocol: "TCP" },
      ],
    },
  };
}

/** A door: where callers come in. It outlives updates, which move its selector to another tree. */
export interface DoorService {
  readonly name: string;
  readonly type: DoorType;
  readonly port: number;
  /** The name of the port in the pods. */
  readonly target: string;
  /** The path whose pods open it. */
  readonly path: string;
}

/** The Service of a door, of the pods of one tree. */
export function doorService(
  { name, type, port, target, path }: DoorService,
  context: TreeContext,
): KubeObject {
  const { app, tree } = context;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: appMeta(name, context),
    spec: {
      type,
      selector: selectorOf({ app, tree, path }),
      ports: [{ name: "rpc", port, targetPort: target, protocol: "TCP", appProtocol: "http" }],
    },
  };
}
