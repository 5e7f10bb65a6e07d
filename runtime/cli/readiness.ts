/**
 * How far the replicas of a deployment are. Pure.
 *
 * @module
 */

import type { ReplicaState, ReplicaStatus } from "../launch/driver.ts";
import { planRows } from "../plan/format_plan.ts";
import type { Plan } from "../plan/plan.ts";
import { replicaLabel } from "../plan/replica_labels.ts";
import type { Palette } from "./palette.ts";

const READY: readonly ReplicaState[] = ["ready", "busy"];
const WRONG: readonly ReplicaState[] = ["crash loop", "restarting", "stalled"];
const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/** Follows the replicas of one deployment. */
export class Readiness {
  #plan: Plan;
  #replicas = new Map<string, ReplicaStatus>();
  #newest = 0;
  #since = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** The plan whose replicas are counted. */
  get plan(): Plan {
    return this.#plan;
  }

  /** Takes what is known of a replica. */
  take(status: ReplicaStatus): void {
    const key = `${status.path}.${status.index}`;
    const known = this.#replicas.get(key);
    // what drains belongs to a tree before, and is of no interest any more
    if (known && known.tree > status.tree) return;
    this.#replicas.set(key, status);
    this.#newest = Math.max(this.#newest, status.tree);
  }

  /** Counts for another plan from now on; with `anew`, only replicas of a tree that is yet to come. */
  expect(plan: Plan, anew: boolean): void {
    this.#plan = plan;
    if (anew) this.#since = this.#newest + 1;
  }

  /** How many replicas of a path are ready, or of all. */
  ready(path?: string): number {
    return this.#counted(path).filter(({ state }) => READY.includes(state)).length;
  }

  /** How many replicas there are to be. */
  get total(): number {
    return this.#plan.nodes.reduce((sum, { replicas }) => sum + replicas, 0);
  }

  /** The tree, line by line, with what is ready of each path and what is wrong. */
  lines(palette: Palette, frame: number): string[] {
    const { bold, dim, cyan, green, yellow, red } = palette;
    const rows = [...planRows(this.#plan)];
    const width = Math.max(...rows.map(({ lines, node }) => lines.length + node.path.length));
    const done = this.ready() === this.total;
    const spinner = SPINNER[frame % SPINNER.length]!;
    const head = `${done ? green("✔") : yellow(spinner)} ${bold(this.#plan.app)}  ` +
      `${this.ready()}/${this.total} ready`;
    const body = rows.map(({ lines, node }) => {
      const ready = this.ready(node.path);
      const wrong = this.#counted(node.path).find(({ state }) => WRONG.includes(state));
      const mark = ready === node.replicas ? green("✔") : wrong ? red("✘") : yellow(spinner);
      const padding = " ".repeat(width - lines.length - node.path.length);
      const trouble = wrong ? `  ${red(this.#trouble(wrong).split("\n", 1)[0]!)}` : "";
      return `${dim(lines)}${
        cyan(node.path)
      }${padding}  ${mark} ${ready}/${node.replicas}${trouble}`;
    });
    return [head, ...body];
  }

  #trouble(status: ReplicaStatus): string {
    return `${replicaLabel(this.#plan, status)}: ${describeTrouble(status)}`;
  }

  #counted(path?: string): ReplicaStatus[] {
    const expected = new Map(this.#plan.nodes.map((node) => [node.path, node.replicas]));
    return [...this.#replicas.values()].filter((one) =>
      one.tree >= this.#since && (path === undefined || one.path === path) &&
      one.index < (expected.get(one.path) ?? 0)
    );
  }
}

/** Whether a replica's state is one that a person should know of. */
export function isTrouble({ state }: ReplicaStatus): boolean {
  return WRONG.includes(state);
}

/** `restarting (restart 3): exited with 1`. */
export function describeTrouble({ state, lastExit, message, restarts }: ReplicaStatus): string {
  const what = state === "crash loop" ? "in a crash loop" : state;
  const why = message ?? lastExit;
  const again = state === "restarting" && restarts > 0 ? ` (restart ${restarts})` : "";
  return why === undefined ? `${what}${again}` : `${what}${again}: ${why}`;
}
