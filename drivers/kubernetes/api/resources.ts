/**
 * Where kinds of objects are in the API. Pure.
 *
 * @module
 */

import type { ObjectId } from "../kube_object.ts";

/** The kinds that the driver works with, with their names in URLs. */
const RESOURCES: Readonly<Record<string, string>> = Object.freeze({
  "v1 ConfigMap": "configmaps",
  "v1 Event": "events",
  "v1 Namespace": "namespaces",
  "v1 Node": "nodes",
  "v1 PersistentVolumeClaim": "persistentvolumeclaims",
  "v1 Pod": "pods",
  "v1 Secret": "secrets",
  "v1 Service": "services",
  "v1 ServiceAccount": "serviceaccounts",
  "apps/v1 Deployment": "deployments",
  "apps/v1 ReplicaSet": "replicasets",
  "apps/v1 StatefulSet": "statefulsets",
  "networking.k8s.io/v1 NetworkPolicy": "networkpolicies",
  "policy/v1 PodDisruptionBudget": "poddisruptionbudgets",
});

/** A kind of objects. */
export type Kind = Pick<ObjectId, "apiVersion" | "kind">;

/** The path of a kind in a namespace, or in all. */
export function collectionPath({ apiVersion, kind }: Kind, namespace?: string): string {
  const resource = RESOURCES[`${apiVersion} ${kind}`];
  if (resource === undefined) {
    throw new TypeError(`Cannot find ${apiVersion} ${kind}: it is not used`);
  }
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const within = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${within}/${resource}`;
}

/** The path of one object. */
export function objectPath({ namespace, name, ...kind }: ObjectId): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}
