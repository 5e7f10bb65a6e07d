/**
 * Where a replica stands in its topology.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { AddressBook } from "../launch/address_book.ts";
import type { ReplicaInfo } from "../topology/context.ts";
import { INGRESS } from "../topology/names.ts";
import type { Topology } from "../topology/topology.ts";
import { type Placed, walk, type Widths } from "../topology/walk.ts";

/** How many replicas each instance of a parent has, by path, from the book: counts are given, never recomputed. */
export function widthsOf(topology: Topology, book: AddressBook): Widths {
  const totals = new Map<string, number>();
  for (const { path } of book.replicas) totals.set(path, (totals.get(path) ?? 0) + 1);
  const widths: Record<string, number> = {};
  const instances = new Map<string, number>();
  const services = new Set<string>();
  // the walk goes from parents to children, so the number of a part's instances is known by then
  for (const { path, service, parts } of walk(topology)) {
    const total = totals.get(path) ?? 0;
    const isRoot = !services.has(service);
    services.add(service);
    if (total > 0) widths[path] = total / (instances.get(path) ?? 1);
    for (const part of Object.values(parts)) instances.set(part, isRoot ? 1 : total);
  }
  return widths;
}

/** What a replica's own code sees of it. */
export function replicaInfo(
  place: Pick<Placed, "path" | "width">,
  index: number,
): ReplicaInfo {
  return Object.freeze({
    path: place.path,
    index: index % place.width,
    count: place.width,
    name: `${place.path}.${index}`,
  });
}

/** The place of a path; the built-in ingress has none. @throws {MpError} `launch_failed` */
export function findPlace(places: readonly Placed[], path: string): Placed | undefined {
  const place = places.find((candidate) => candidate.path === path);
  if (place || path === INGRESS) return place;
  throw new MpError(
    "launch_failed",
    `Cannot start a replica of "${path}": the topology has no such path`,
    {
      next: "Register the same services in every replica, whatever its environment",
    },
  );
}
