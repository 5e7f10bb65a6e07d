/**
 * What a pod may use. Pure.
 *
 * @module
 */

import type { Resources } from "../../../runtime/topology/target.ts";
import type { KubeFields } from "../kube_object.ts";

/** What an idle replica takes, so that nodes are not promised more than they have. */
const IDLE = Object.freeze({ cpu: "20m", memory: "64Mi" });

/** What is asked for is reserved, and is the limit; what is not has none. */
export function podResources({ cpu, memory }: Resources): KubeFields {
  const limits = {
    ...(cpu !== undefined && { cpu: `${Math.max(1, Math.round(cpu * 1000))}m` }),
    ...(memory !== undefined && { memory: `${Math.max(1, Math.round(memory))}Mi` }),
  };
  const requests = { ...IDLE, ...limits };
  return Object.keys(limits).length > 0 ? { requests, limits } : { requests };
}
