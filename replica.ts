/**
 * The entry of the serving half: what a replica's process runs, and the process that loads a script for
 * planning. It joins the patterns, the storages and the runtime, and is bundled into one module before it
 * is started.
 *
 * @module
 */

import * as api from "./mod.ts";
import { storages } from "./drivers/storage/storages.ts";
import { replicaMain } from "./runtime/replica/main.ts";
import { loadChild } from "./runtime/script/load_child.ts";

const role = Deno.env.get("MP_ROLE");
if (role === "load") loadChild(api, storages);
else if (Deno.args.at(-1) === "probe") {
  Deno.exit(await (await import("./runtime/replica/probe.ts")).probe(Deno.env.toObject()));
} else if (Deno.args.at(-1) === "warm") {
  // whoever makes an image has what replicas load compiled ahead, into a cache that they can only read
  await Promise.all([import("./runtime/rpc/app.ts"), import("./runtime/replica/probe.ts")]);
} else await replicaMain(api, storages);
