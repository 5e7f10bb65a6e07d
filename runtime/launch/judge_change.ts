/**
 * How one deployment becomes another. Pure.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { scalesInPlace } from "../plan/make_plan.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import type { DeployOrder, UpdateOutcome } from "./launcher.ts";

/** Where a deployment's own door listens. */
export interface DoorPlace {
  readonly host: string;
  readonly port: number;
}

/** An order, and where its door is to be. */
export interface PlacedOrder {
  readonly order: DeployOrder;
  readonly door: DoorPlace;
}

/** What it takes to get from one order to another. */
export function judgeChange(from: PlacedOrder, to: PlacedOrder): UpdateOutcome["how"] {
  const [old, plan] = [from.order.plan, to.order.plan];
  if (surroundings(from) !== surroundings(to)) return "new tree";
  if (JSON.stringify(old) === JSON.stringify(plan)) return "unchanged";
  return scalesInPlace(old, plan) && uncounted(old) === uncounted(plan) ? "in place" : "new tree";
}

/** Everything that every replica is started with. */
function surroundings({ order, door }: PlacedOrder): string {
  const { env, cwd, inspect, settings = {}, bundle: { hash, script } } = order;
  const sorted = [env, settings].map((values) => Object.entries(values).sort());
  return JSON.stringify([sorted, cwd, inspect, hash, script, door]);
}

function uncounted({ nodes }: Plan): string {
  return JSON.stringify(nodes.map(({ replicas: _, width: __, ...node }: PlanNode) => node));
}

/**
 * Refuses an update by another `mp` or another driver than the launcher's, and one that is another app.
 *
 * @throws {MpError} `unsupported`.
 */
export function checkUpdate(current: DeployOrder, order: DeployOrder): void {
  const { app } = current.plan;
  if (order.plan.app !== app) {
    throw new MpError(
      "unsupported",
      `Cannot update "${app}": the script now makes the app "${order.plan.app}"`,
      { next: "Run the script anew for the other app" },
    );
  }
  const differs = order.version !== current.version
    ? [`mp ${current.version}`, `mp ${order.version}`]
    : order.driver !== current.driver
    ? [`driver ${current.driver}`, `driver ${order.driver}`]
    : undefined;
  if (!differs) return;
  throw new MpError(
    "unsupported",
    `Cannot update "${app}": it runs with ${differs[0]}, not ${differs[1]}`,
    { next: `Delete it with mp delete ${app}, and run it again` },
  );
}
