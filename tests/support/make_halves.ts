/**
 * Makes what `mp` is started with from source, as its first two runs do, and keeps it where they keep it.
 *
 * @module
 */

import { keepLaunchingHalf } from "../../runtime/launch/keep_launching_half.ts";
import { servingHalf } from "../../runtime/launch/serving_half.ts";

await servingHalf();
await keepLaunchingHalf();
Deno.exit(0);
