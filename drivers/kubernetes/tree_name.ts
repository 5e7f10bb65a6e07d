/**
 * The name of a tree of replicas, which the names of its objects carry. Pure.
 *
 * @module
 */

import { hash32 } from "../../runtime/hash.ts";
import type { Plan, PlanNode } from "../../runtime/plan/plan.ts";

/**
 * The revision, and a hash of what else makes a tree another one: counts that replicas depend on, and how many
 * trees came before. What is scaled in place keeps its name, and so does what is exported again.
 *
 * @param tree Counts the trees of a deployment, from 1.
 * @param taken The name of the tree that runs beside it.
 */
export function treeName(plan: Plan, tree: number, taken?: string): string {
  const counts = plan.nodes.map((node) =>
    isScaledInPlace(node) ? node.path : [node.path, node.replicas]
  );
  for (let salt = tree;; salt++) {
    const hash = hash32(JSON.stringify([plan.app, plan.revision, plan.doors, counts, salt]));
    const name = `${plan.revision.slice(0, 8)}-${hash.toString(16).padStart(8, "0").slice(0, 4)}`;
    if (name !== taken) return name;
  }
}

/** Whether replicas of a part come and go one by one: all replicas of the path are one set, without an index. */
function isScaledInPlace({ path, service, state }: PlanNode): boolean {
  return state === "none" && !path.slice(service.length + 1).includes(".");
}
