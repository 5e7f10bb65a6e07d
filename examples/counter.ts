/**
 * A counter that survives its replicas, and counts each request once, whichever of them it reaches.
 *
 * ```sh
 * mp run examples/counter.ts
 * mp client counter                            # {"requests":1,"replica":"counter.compute.2"}
 * mp client counter                            # {"requests":2,"replica":"counter.compute.0"}
 * mp client counter --idempotency-key 7        # {"requests":3,"replica":"counter.compute.2"}
 * mp client counter --idempotency-key 7        # the same once more: it was counted before
 * mp scope get global                          # {"requests":3}
 * ```
 *
 * Stop it, run it again, and it goes on with 4. With `--storage redis://…` it does so from any machine.
 *
 * @module
 */

import * as mp from "@metaparticle/mp";

/** Counts a request. It touches `mp.scope`, so all of it is one transaction, which may run more than once. */
function count(_request: unknown, { replica }: mp.Context) {
  const global: { requests?: number } = mp.scope.global;
  global.requests = (global.requests ?? 0) + 1;
  return { requests: global.requests, replica: replica.name };
}

// The scope that it uses is named, so that a replica loads it before its first request.
mp.service(
  "counter",
  mp.spread({ replicas: 3, target: count, scopes: ["global"], expose: true }),
);

mp.serve();
