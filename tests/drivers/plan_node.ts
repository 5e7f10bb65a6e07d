// A subservice of a plan, with what a test does not care about filled in.
import type { PlanNode } from "../../runtime/plan/plan.ts";

/** Makes one. */
export function planNode(path: string, changes: Partial<PlanNode> = {}): PlanNode {
  return {
    path,
    service: path.split(".")[0]!,
    kind: "handler",
    replicas: 1,
    width: changes.replicas ?? 1,
    state: "none",
    run: { kind: "bundle" },
    ports: [],
    needs: [],
    expose: false,
    timeout: 30_000,
    health: { stallLimit: 60_000 },
    env: {},
    resources: {},
    ...changes,
  };
}
