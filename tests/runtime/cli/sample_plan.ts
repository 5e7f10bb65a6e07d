/**
 * Plans for tests of what is shown of them.
 *
 * @module
 */

import { scatter } from "../../../patterns/scatter.ts";
import { shard } from "../../../patterns/shard.ts";
import { makePlan } from "../../../runtime/plan/make_plan.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";
import { type ScriptApi, scriptApi } from "../../../runtime/topology/api.ts";
import { directHost } from "../../../runtime/topology/direct_host.ts";
import type { Widths } from "../../../runtime/topology/walk.ts";

/** The plan of what `script` makes. */
export function planOf(
  script: (api: ScriptApi) => void,
  { app = "sample", widths }: { app?: string; widths?: Widths } = {},
): Plan {
  const { api, topology } = scriptApi(directHost());
  script(api);
  return makePlan(topology, { app, bundle: "ab".repeat(32), widths });
}

const sum = (parts: number[]) => parts.reduce((a, b) => a + b, 0);

/** `histogram`: one router over ten leaves. */
export const histogramPlan: Plan = planOf((api) => {
  api.service("histogram", scatter(10, () => 1, sum)).expose = true;
}, { app: "histogram" });

/** `nested`: four shards of three leaves each. */
export const nestedPlan: Plan = planOf((api) => {
  api.service("nested", shard(4, (user: string) => user, scatter(3, (_: string) => 1, sum)))
    .expose = true;
}, { app: "nested" });
