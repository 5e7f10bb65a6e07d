/**
 * The plan of a script, for tests.
 *
 * @module
 */

import type { Plan } from "../runtime/plan/plan.ts";
import { planScript } from "./plan_script.ts";
import { prepareScript } from "./prepared_script.ts";
import type { StartOptions } from "./start.ts";

/** `planOf()`, made of what `testing.ts` joins. */
export type PlanOf = (
  script: string | URL,
  options?: Pick<StartOptions, "replicas" | "env" | "name">,
) => Promise<Plan>;

/** Makes `planOf()`. */
export function makePlanOf(api: Readonly<Record<string, unknown>>): PlanOf {
  return async (script, { replicas: widths, env, name } = {}) =>
    await planScript(await prepareScript(script), {
      api,
      env: { ...Deno.env.toObject(), ...env },
      widths,
      name,
    });
}
