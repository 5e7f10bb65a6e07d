/**
 * A topology as JSON, for `mp.print()`.
 *
 * @module
 */

import { isPattern, type Topology } from "./topology.ts";
import { walk } from "./walk.ts";

/** One subservice of {@linkcode describeTopology}. */
export interface DescribedSubservice {
  readonly replicas: number;
  readonly kind: string;
  readonly expose: boolean;
  readonly needs: readonly string[];
}

/** The subservices of every service, by service and path. */
export function describeTopology(
  topology: Topology,
): Record<string, Record<string, DescribedSubservice>> {
  // a service may be called "constructor"
  const services: Record<string, Record<string, DescribedSubservice>> = Object.create(null);
  for (const place of walk(topology)) {
    (services[place.service] ??= {})[place.path] = {
      replicas: place.replicas,
      kind: isPattern(place.target) ? place.target.pattern : "handler",
      expose: Boolean(place.expose),
      needs: Object.values(place.parts),
    };
  }
  return services;
}
