/**
 * Where a call of a test goes.
 *
 * @module
 */

import { MpError } from "../runtime/errors.ts";
import type { Plan, PlanNode } from "../runtime/plan/plan.ts";

/** Through a door, or to any replica of a path. */
export interface CallTarget {
  readonly node: PlanNode;
  /** The door's place in the plan; absent for what is not exposed. */
  readonly door?: number;
}

/** Finds what a name stands for. @throws {MpError} `method_not_found` */
export function findTarget(plan: Plan, name: string): CallTarget {
  const door = plan.doors.findIndex(({ methods }) => Object.hasOwn(methods, name));
  const path = door < 0 ? undefined : plan.doors[door]!.methods[name];
  const node = plan.nodes.find((node) => node.path === (path ?? name)) ??
    // the first node of a service is where its requests come in
    plan.nodes.find((node) => node.service === name);
  if (node !== undefined) return { node, ...(door >= 0 && { door }) };
  const services = [...new Set(plan.nodes.map(({ service }) => service))];
  throw new MpError("method_not_found", `Cannot call "${name}": the topology has no such service`, {
    next: `The services are ${services.join(", ")}`,
  });
}
