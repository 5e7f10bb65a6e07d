/**
 * Requests are placed by a key: all requests of one user reach the same replica.
 *
 * So each replica can keep what it knows of its users in plain variables, and no two replicas ever
 * know different things of one user. (What is in variables is gone when the replica restarts.)
 *
 * ```sh
 * mp run examples/sharded.ts
 * mp client visits '{"user":"ada"}'     # {"user":"ada","visits":1,"replica":"visits.compute.1"}
 * mp client visits '{"user":"ada"}'     # {"user":"ada","visits":2,"replica":"visits.compute.1"}
 * ```
 *
 * @module
 */

import * as mp from "@metaparticle/mp";

/** What is asked. */
interface Visit {
  user: string;
}

// Every replica evaluates this script for itself, so each has a map of its own.
const visitsOf = new Map<string, number>();

/** Counts a visit of a user. It runs on that user's replica. */
function visit({ user }: Visit, { replica }: mp.Context) {
  const visits = (visitsOf.get(user) ?? 0) + 1;
  visitsOf.set(user, visits);
  return { user, visits, replica: replica.name };
}

// The key runs in the router. A string is hashed; a whole number is taken modulo the number of shards.
const byUser = ({ user }: Visit) => user;

mp.service("visits", mp.shard({ replicas: 4, key: byUser, target: visit, expose: true }));

mp.serve();
