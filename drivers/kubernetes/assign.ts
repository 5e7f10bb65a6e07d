/**
 * The assign stage of the Kubernetes driver: where every replica will be. Pure.
 *
 * A replica of a StatefulSet has a name of its own in DNS before it is there: its pod's, under the headless
 * Service. The replicas of a Deployment share the name of their Service, and whoever connects picks one.
 *
 * @module
 */

import type { AddressBook, ReplicaAddress } from "../../runtime/launch/address_book.ts";
import type { Door, Plan, PlanNode } from "../../runtime/plan/plan.ts";
import { kubeName, workloadNames } from "./kube_name.ts";
import { doorPort, HTTP_PORT, PEER_PORT } from "./ports.ts";

/** Options of {@linkcode assignPods}. */
export interface AssignPodsOptions {
  /** The tree's name, which all names of its objects carry. */
  readonly tree: string;
  /** Where the deployment's own door is. */
  readonly port: number;
  /** The generation of the book. Default: 1. */
  readonly generation?: number;
}

/** Gives every replica its address. */
export function assignPods(
  plan: Plan,
  { tree, port, generation = 1 }: AssignPodsOptions,
): AddressBook {
  const names = workloadNames(plan.nodes.map(({ path }) => path), tree);
  return {
    revision: plan.revision,
    generation,
    tree,
    replicas: plan.nodes.flatMap((node) => {
      const name = names.get(node.path)!;
      const shared = workloadKind(plan, node) === "Deployment";
      return Array.from({ length: node.replicas }, (_, index): ReplicaAddress => {
        const host = shared ? name : `${name}-${index}.${name}`;
        return {
          path: node.path,
          index,
          peer: `tcp:${host}:${PEER_PORT}`,
          http: `tcp:${host}:${HTTP_PORT}`,
          ...(shared && { shared }),
        };
      });
    }),
    doors: plan.doors.map((door, place) => ({
      node: door.node,
      address: `tcp:${doorName(plan.app, door)}:${door.port ?? port}`,
      listen: `tcp:0.0.0.0:${doorPort(place)}`,
    })),
  };
}

/** The name of the Service of a door. */
export function doorName(app: string, { port }: Pick<Door, "port">): string {
  return port === null ? kubeName([app]) : kubeName([app, String(port)]);
}

/** Parts of a pattern have an index; the replicas of a service's own router, and of the ingress, are all alike. */
export function workloadKind(plan: Plan, node: PlanNode): "StatefulSet" | "Deployment" {
  const root = plan.nodes.find(({ service }) => service === node.service);
  return root?.path === node.path ? "Deployment" : "StatefulSet";
}
