/**
 * Ports of a pod. Above 1024, for a replica has no rights.
 *
 * @module
 */

/** Where a replica takes calls from its peers. */
export const PEER_PORT = 4000;
/** Where it serves health, readiness and metrics. */
export const HTTP_PORT = 4001;

/** Where a door listens in its pod, by its place among the plan's doors. */
export function doorPort(place: number): number {
  return 3000 + place;
}
