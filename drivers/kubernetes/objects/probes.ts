/**
 * Probes by the rule that busy is not dead. Pure.
 *
 * @module
 */

import type { KubeFields } from "../kube_object.ts";

/** How long a script may load, and a node may take to begin with it, in seconds. */
const STARTING = 120;
/** How often, and how long, it is asked whether a replica lives, in seconds. */
const PERIOD = 10;

/**
 * The probes of a replica.
 *
 * A blocked event loop answers late, and that is no reason to end a replica that computes: it is live until
 * it has not answered for its whole `stallLimit`. Nor does one late answer take it out of a Service, and neither
 * does a part that is away for a moment: what can be answered without it is, so it is ready once it has been.
 *
 * @param stallLimit How long its event loop may be blocked, in milliseconds.
 */
export function probes(stallLimit: number): Record<string, KubeFields> {
  const ask = (path: string) => ({ httpGet: { path, port: "http", scheme: "HTTP" } });
  return {
    startupProbe: {
      ...ask("/healthz"),
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: STARTING,
    },
    readinessProbe: {
      ...ask("/readyz?once"),
      periodSeconds: 2,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    livenessProbe: {
      ...ask("/healthz"),
      periodSeconds: PERIOD,
      timeoutSeconds: PERIOD,
      failureThreshold: Math.max(1, Math.ceil(stallLimit / 1000 / PERIOD)),
    },
  };
}
