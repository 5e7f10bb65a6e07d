/**
 * Replicas as people read and write them. Pure.
 *
 * A replica is named by its path and flat index, `svc.compute.scatter.5`, and shown with the index that
 * each instance above it has: `svc.compute[1].scatter[2]`.
 *
 * @module
 */

import type { ReplicaId } from "../launch/driver.ts";
import type { Plan, PlanNode } from "./plan.ts";

/** How a replica is shown: `svc.compute[1].scatter[2]`. */
export function replicaLabel({ nodes }: Plan, { path, index }: ReplicaId): string {
  const node = nodes.find((one) => one.path === path);
  const parent = node && parentOf(nodes, node);
  if (!node || !parent) return `${path}[${index}]`;
  const instance = Math.floor(index / node.width);
  const above = replicaLabel({ nodes } as Plan, { path: parent.path, index: instance });
  return `${above}${path.slice(parent.path.length)}[${index % node.width}]`;
}

/**
 * The replicas that somebody means.
 *
 * @param name A path, a service, or a replica: `svc.scatter`, `svc`, `svc.scatter.3`, `svc.scatter[3]`.
 * @returns Nothing when the plan has none of that name.
 */
export function findReplicas(plan: Plan, name: string): ReplicaId[] {
  const all = ({ path, replicas }: PlanNode) =>
    Array.from({ length: replicas }, (_, index) => ({ path, index }));
  const node = plan.nodes.find(({ path }) => path === name);
  if (node) return all(node);
  const one = readReplica(plan, name);
  if (one) return [one];
  return plan.nodes.filter(({ service }) => service === name).flatMap(all);
}

function readReplica({ nodes }: Plan, name: string): ReplicaId | undefined {
  const dotted = /^(.+)\.(\d+)$/.exec(name);
  const steps = dotted ? [] : [...name.matchAll(/\[(\d+)\]/g)].map(([, index]) => Number(index));
  const path = dotted ? dotted[1]! : name.replace(/\[\d+\]/g, "");
  const node = nodes.find((one) => one.path === path);
  if (!node || (!dotted && !name.endsWith("]"))) return undefined;
  const index = dotted ? Number(dotted[2]) : flatIndex(nodes, node, steps);
  return index !== undefined && index < node.replicas ? { path, index } : undefined;
}

/** The flat index for the indices of a replica and of the instances above it, outermost first. */
function flatIndex(
  nodes: readonly PlanNode[],
  node: PlanNode,
  steps: readonly number[],
): number | undefined {
  const own = steps.at(-1);
  const parent = parentOf(nodes, node);
  // with one number only, it is the flat index already
  if (own === undefined || !parent || steps.length === 1) return own;
  if (own >= node.width) return undefined;
  const above = flatIndex(nodes, parent, steps.slice(0, -1));
  return above === undefined || above >= parent.replicas ? undefined : above * node.width + own;
}

/** The node whose instances own a copy of another: the nearest whose path begins the other's. */
function parentOf(nodes: readonly PlanNode[], { path }: PlanNode): PlanNode | undefined {
  for (let end = path.lastIndexOf("."); end > 0; end = path.lastIndexOf(".", end - 1)) {
    const found = nodes.find((one) => one.path === path.slice(0, end));
    if (found) return found;
  }
  return undefined;
}
