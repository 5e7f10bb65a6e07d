/**
 * The entry of the serving half: what a replica's process runs. It joins the patterns and the runtime,
 * and is bundled into one module before it is started.
 *
 * @module
 */

import * as api from "./mod.ts";
import { replicaMain } from "./runtime/replica/main.ts";

await replicaMain(api);
