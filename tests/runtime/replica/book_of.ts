/**
 * An address book for a plan, as a driver would assign it.
 *
 * @module
 */

import type { AddressBook } from "../../../runtime/launch/address_book.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";

/** Gives every replica of a plan sockets in a folder. */
export function bookOf(plan: Plan, folder = "/f", generation = 1): AddressBook {
  const replicas = plan.nodes.flatMap(({ path, replicas }) =>
    Array.from({ length: replicas }, (_, index) => ({ path, index }))
  );
  return {
    revision: plan.revision,
    generation,
    replicas: replicas.map(({ path, index }) => ({
      path,
      index,
      peer: `unix:${folder}/${path}.${index}.p` as const,
      http: `unix:${folder}/${path}.${index}.h` as const,
    })),
    doors: plan.doors.map(({ node }) => ({ node, address: "tcp:127.0.0.1:0" as const })),
  };
}
