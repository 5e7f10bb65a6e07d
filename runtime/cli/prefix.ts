/**
 * What stands before every line of a replica.
 *
 * @module
 */

import type { ReplicaId } from "../launch/driver.ts";
import type { Plan } from "../plan/plan.ts";
import { replicaLabel } from "../plan/replica_labels.ts";
import type { Palette } from "./palette.ts";

/** Longer labels are written whole, and only their own lines move to the right. */
const WIDEST = 40;

/** Gives the prefix of each replica, `histogram-service.scatter[3] | `, all equally long, a colour for each path. */
export function prefixes(plan: Plan, palette: Palette): (replica: ReplicaId) => string {
  const made = new Map<string, string>();
  const order = new Map(plan.nodes.map(({ path }, i) => [path, i]));
  const widest = Math.max(
    0,
    ...plan.nodes.map(({ path, replicas }) =>
      replicaLabel(plan, { path, index: replicas - 1 }).length
    ),
  );
  const width = Math.min(widest, WIDEST);
  return (replica) => {
    const key = `${replica.path}.${replica.index}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const label = replicaLabel(plan, replica).padEnd(width);
    const prefix = palette.nth(order.get(replica.path) ?? order.size, `${label} |`) + " ";
    made.set(key, prefix);
    return prefix;
  };
}
