/**
 * One service, three replicas: any of them can answer, and the load is spread over them.
 *
 * ```sh
 * mp run examples/replicated.ts
 * mp client replicated '{"hello":"world"}'   # {"request":{"hello":"world"},"replica":"replicated.compute.0"}
 * mp scale replicated replicated.compute=5   # while it runs
 * ```
 *
 * @module
 */

import * as mp from "@metaparticle/mp";

/** Answers with what was asked, and with who answered. */
const answer = (request: unknown, { replica }: mp.Context) => ({
  request,
  // A replica's name is its path and its number. Code that sees no context, a library say, finds the
  // same name in the environment variable MP_REPLICA.
  replica: replica.name,
});

// `spread` adds two parts under the service: the replicas, `compute`, and their router, `shard`.
const replicated = mp.service("replicated", mp.spread(3, answer, { strategy: "round-robin" }));

// The router is the way in. Parts have types: `subservices.gather` would not compile.
replicated.subservices.shard.expose = true;

mp.serve();
