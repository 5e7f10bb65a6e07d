/**
 * The cluster that is meant.
 *
 * @module
 */

import { connection } from "./api/connection.ts";
import { KubeClient } from "./api/kube_client.ts";
import { readAccess } from "./api/kubeconfig.ts";
import type { KubernetesOrder } from "./render_order.ts";

/** Reads a variable of the environment. */
export type Environment = (name: string) => string | undefined;

/** A cluster, and a namespace in it. */
export interface Cluster {
  readonly client: KubeClient;
  /** The name of the context. */
  readonly context: string;
  readonly namespace: string;
}

/** The cluster of a context. @throws {MpError} `cluster_unavailable`. */
export function openCluster(
  { context, namespace }: Pick<KubernetesOrder, "context" | "namespace">,
  env: Environment,
): Cluster {
  const access = readAccess({ context: context ?? env("MP_CONTEXT"), env });
  return {
    client: new KubeClient(connection(access)),
    context: access.context,
    namespace: namespace ?? env("MP_NAMESPACE") ?? access.namespace ?? "default",
  };
}
