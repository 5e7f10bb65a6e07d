/**
 * Who reaches whom. Pure.
 *
 * @module
 */

import type { KubeObject } from "../kube_object.ts";
import { kubeName } from "../kube_name.ts";
import { LABEL, selectorOf } from "../labels.ts";
import { HTTP_PORT, PEER_PORT } from "../ports.ts";
import { appMeta, type TreeContext } from "./object_meta.ts";

/**
 * Only the deployment's own pods reach its replicas; everybody reaches its doors. Namespaces with the label
 * `metaparticle.io/metrics=true` may collect metrics.
 *
 * @param doorPorts The ports of all doors, in their pods.
 */
export function networkPolicies(
  doorPorts: readonly number[],
  context: Pick<TreeContext, "namespace" | "app">,
): KubeObject[] {
  const { app } = context;
  const tcp = (port: number) => ({ protocol: "TCP", port });
  const policy = (name: string, spec: KubeObject["spec"]): KubeObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: appMeta(kubeName([app, name]), context),
    spec: { policyTypes: ["Ingress"], ...spec },
  });
  const peers = policy("peers", {
    podSelector: { matchLabels: selectorOf({ app }) },
    ingress: [
      {
        from: [{ podSelector: { matchLabels: selectorOf({ app }) } }],
        ports: [tcp(PEER_PORT), tcp(HTTP_PORT)],
      },
      {
        from: [{ namespaceSelector: { matchLabels: { [LABEL.metrics]: "true" } } }],
        ports: [tcp(HTTP_PORT)],
      },
    ],
  });
  if (doorPorts.length === 0) return [peers];
  const doors = policy("doors", {
    podSelector: { matchLabels: { ...selectorOf({ app }), [LABEL.door]: "true" } },
    ingress: [{ ports: doorPorts.map(tcp) }],
  });
  return [peers, doors];
}
