/**
 * Assertions on plans: what depends on what, what is exposed, how many there are.
 *
 * @module
 */

import type { Plan, PlanNode } from "../runtime/plan/plan.ts";

/** A plan that is not as a test asserts. Test runners show it as a failed assertion. */
export class PlanAssertionError extends Error {
  override readonly name = "AssertionError";
}

/**
 * Whether replicas of `from` call those of `to`, directly or through others.
 *
 * @param plan The plan.
 * @param from A path, `count.gather`, or the name of a service for where its requests come in.
 * @param to A path or the name of a service.
 * @throws {TypeError} When the plan has no such path.
 */
export function dependsOn(plan: Plan, from: string, to: string): boolean {
  const target = findNode(plan, to).path;
  const seen = new Set<string>();
  const waiting = [...findNode(plan, from).needs];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (path === target) return true;
    if (seen.has(path)) continue;
    seen.add(path);
    waiting.push(...findNode(plan, path).needs);
  }
  return false;
}

/** Asserts that replicas of `from` call those of `to`, directly or through others; see {@linkcode dependsOn}. */
export function assertDependsOn(plan: Plan, from: string, to: string): void {
  if (dependsOn(plan, from, to)) return;
  const { path, needs } = findNode(plan, from);
  throw new PlanAssertionError(
    `Cannot accept the plan: "${path}" does not depend on "${findNode(plan, to).path}"; it calls ${
      needs.length > 0 ? needs.join(", ") : "nothing"
    }`,
  );
}

/** The paths that callers from outside can call, in the order of the plan. */
export function exposedPaths(plan: Plan): string[] {
  return plan.nodes.filter(({ path, expose }) => expose && path !== "ingress")
    .map(({ path }) => path);
}

/**
 * Asserts that callers from outside can call these paths and nothing else.
 *
 * @param paths Paths, or names of services for where their requests come in; none for nothing at all.
 */
export function assertOnlyExposed(plan: Plan, ...paths: readonly string[]): void {
  const wanted = paths.map((path) => findNode(plan, path).path);
  const found = exposedPaths(plan);
  const missing = wanted.filter((path) => !found.includes(path));
  const odd = found.filter((path) => !wanted.includes(path));
  if (missing.length + odd.length === 0) return;
  const told = [
    ...missing.map((path) => `"${path}" is not exposed`),
    ...odd.map((path) => `"${path}" is exposed`),
  ];
  throw new PlanAssertionError(`Cannot accept the plan: ${told.join(", and ")}`);
}

/** Asserts how many replicas of a path run in all. */
export function assertReplicas(plan: Plan, path: string, replicas: number): void {
  const node = findNode(plan, path);
  if (node.replicas === replicas) return;
  throw new PlanAssertionError(
    `Cannot accept the plan: "${node.path}" has ${node.replicas} replicas, not ${replicas}`,
  );
}

/**
 * A plan as text that is the same as long as the topology is: JSON with its members in one order, without
 * the hashes that change with every line of a handler.
 */
export function planSnapshot(plan: Plan): string {
  const { revision: _, bundle: __, ...rest } = plan;
  return JSON.stringify(sorted(rest), null, 2) + "\n";
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
      .map(([name, member]) => [name, sorted(member)]),
  );
}

function findNode(plan: Plan, name: string): PlanNode {
  const found = plan.nodes.find(({ path }) => path === name) ??
    plan.nodes.find(({ service }) => service === name);
  if (found) return found;
  const paths = plan.nodes.map(({ path }) => path).join(", ");
  throw new TypeError(`Cannot find "${name}" in the plan of "${plan.app}": the paths are ${paths}`);
}
