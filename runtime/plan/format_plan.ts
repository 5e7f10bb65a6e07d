/**
 * A plan for people. Pure.
 *
 * @module
 */

import { INGRESS } from "../topology/names.ts";
import type { Door, Plan, PlanNode } from "./plan.ts";

/** How parts of the text are marked; by colours, say. */
export interface PlanMarks {
  bold(text: string): string;
  dim(text: string): string;
  cyan(text: string): string;
  green(text: string): string;
}

const plain = (text: string) => text;
const NO_MARKS: PlanMarks = { bold: plain, dim: plain, cyan: plain, green: plain };

/**
 * A plan as a tree of who calls whom.
 *
 * ```text
 * histogram  11 replicas, revision 3f1c2a9be0d4715c6a0f91d2
 * └─ histogram-service.gather       1  scatter  exposed as histogram-service
 *    └─ histogram-service.scatter  10  handler  indexed
 * ```
 */
export function formatPlan(plan: Plan, marks: PlanMarks = NO_MARKS): string {
  const rows = [...planRows(plan)];
  const widest = (of: (row: PlanRow) => string) =>
    Math.max(0, ...rows.map((row) => of(row).length));
  const [names, counts, kinds] = [
    widest(({ lines, node }) => lines + node.path),
    widest(({ node }) => String(node.replicas)),
    widest(({ node }) => node.kind),
  ];
  const body = rows.map(({ lines, node }) =>
    [
      marks.dim(lines) + marks.cyan(node.path) + " ".repeat(names - (lines + node.path).length),
      String(node.replicas).padStart(counts),
      node.kind.padEnd(kinds),
      notesOf(node, plan).map((note) => /^exposed/.test(note) ? marks.green(note) : marks.dim(note))
        .join(marks.dim(", ")),
    ].join("  ").trimEnd()
  );
  return [headOf(plan, marks), ...body].join("\n");
}

/** One line of a plan's tree. */
export interface PlanRow {
  /** The lines of the tree before the path, `│  └─ `. */
  readonly lines: string;
  readonly node: PlanNode;
}

/** A plan's tree, line by line: under each node those that it calls. */
export function* planRows({ nodes }: Plan): Generator<PlanRow> {
  const byPath = new Map(nodes.map((node) => [node.path, node]));
  const called = new Set(
    nodes.filter(({ path }) => path !== INGRESS).flatMap(({ needs }) => needs),
  );
  yield* level(nodes.filter(({ path }) => !called.has(path)), "", byPath);
}

function* level(
  nodes: readonly PlanNode[],
  margin: string,
  byPath: ReadonlyMap<string, PlanNode>,
): Generator<PlanRow> {
  for (const [i, node] of nodes.entries()) {
    const last = i === nodes.length - 1;
    yield { lines: `${margin}${last ? "└─ " : "├─ "}`, node };
    if (node.path === INGRESS) continue; // what it needs stands beside it
    const children = node.needs.flatMap((path) => byPath.get(path) ?? []);
    yield* level(children, `${margin}${last ? "   " : "│  "}`, byPath);
  }
}

function headOf({ app, nodes, revision }: Plan, { bold, dim }: PlanMarks): string {
  const replicas = nodes.reduce((sum, node) => sum + node.replicas, 0);
  const count = `${replicas} ${replicas === 1 ? "replica" : "replicas"}`;
  return `${bold(app)}  ${count}${dim(`, revision ${revision}`)}`;
}

function notesOf(node: PlanNode, { doors }: Plan): string[] {
  const notes = [...exposures(node, doors)];
  if (node.guard) notes.push(`guarded by ${node.guard.name}`);
  if (node.state !== "none") notes.push(node.state);
  if (node.width !== node.replicas) notes.push(`${node.width} for each instance above`);
  for (const [name, amount] of Object.entries(node.resources)) notes.push(`${name} ${amount}`);
  return notes;
}

function* exposures({ path }: PlanNode, doors: readonly Door[]): Generator<string> {
  for (const { port, node, methods } of doors) {
    const on = port === null ? "" : ` on port ${port}`;
    if (path === INGRESS && node === INGRESS) {
      yield `exposed${on} for ${Object.keys(methods).join(", ")}`;
    }
    for (const [method, target] of Object.entries(methods)) {
      if (target === path) yield `exposed as ${method}${on}`;
    }
  }
}
