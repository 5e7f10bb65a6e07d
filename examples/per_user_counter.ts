/**
 * A counter for each user: callers say who they are, and each has a scope of its own.
 *
 * `mp.basicAuth()` is not told who may call, so whoever runs it says so, by an htpasswd file. The one
 * beside this script was made with `htpasswd -B`; ada's password is "engine", and grace's is "compiler".
 *
 * ```sh
 * mp run examples/per_user_counter.ts --auth-users examples/per_user_counter.htpasswd
 * mp client counter --user ada:engine         # {"user":"ada","requests":1}
 * mp client counter --user ada:engine         # {"user":"ada","requests":2}
 * mp client counter --user grace:compiler     # {"user":"grace","requests":1}
 * mp client counter                           # error: Cannot call "counter": …
 * ```
 *
 * @module
 */

import * as mp from "@metaparticle/mp";

/** Counts the requests of who calls. All of it is one transaction, on whichever replica it runs. */
function count(_request: unknown, { user }: mp.Context) {
  const own: { requests?: number } = mp.scope.user;
  own.requests = (own.requests ?? 0) + 1;
  return { user, requests: own.requests };
}

// Callers are asked where they come in, and any of the three replicas knows who they are.
mp.service("counter", mp.basicAuth(mp.spread({ replicas: 3, target: count, expose: true })));

mp.serve();
