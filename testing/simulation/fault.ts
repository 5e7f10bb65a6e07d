/**
 * The faults of a run, drawn from its seed before it begins. Pure.
 *
 * @module
 */

import type { Plan } from "../../runtime/plan/plan.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** The kinds of faults. */
export const FAULT_KINDS = [
  "crash",
  "pause",
  "partition",
  "disconnect",
  "drop",
  "delay",
  "lost_reply",
  "outage",
  "conflict",
] as const;

/**
 * - `crash`: a replica ends, and is started again soon;
 * - `pause`: a replica hangs for a while;
 * - `partition`: nothing arrives between two sides for a while;
 * - `disconnect`: a connection ends, with what is on its way;
 * - `drop`: a call or an answer is lost;
 * - `delay`: messages between two sides are slow for a while;
 * - `lost_reply`: the storage carries something out, and nobody learns of it;
 * - `outage`: the storage cannot be reached for a while;
 * - `conflict`: somebody else has just written what a commit has read.
 */
export type FaultKind = typeof FAULT_KINDS[number];

/** One fault. */
export interface Fault {
  /** Its number in its run, from 1. */
  readonly number: number;
  readonly kind: FaultKind;
  /** It comes with the so-manieth thing that is sent, from when the topology is ready. */
  readonly after: number;
  /** The replica, or one side of the network. */
  readonly one: string;
  /** The other side. */
  readonly other: string;
  /** How long it lasts, in milliseconds. */
  readonly duration: number;
}

/** The most that is sent before a fault comes. */
const LATEST = 400;
const MOST = 6;

/** Draws the faults of a run. */
export function drawFaults(
  random: SeededRandom,
  plan: Plan,
  kinds: readonly FaultKind[],
): Fault[] {
  if (kinds.length === 0) return [];
  const replicas = plan.nodes.flatMap(({ path, replicas }) =>
    Array.from({ length: replicas }, (_, index) => `${path}.${index}`)
  );
  const links = linksOf(plan);
  const count = random.below(MOST + 1);
  return Array.from({ length: count }, (_, i): Fault => {
    const kind = random.pick(kinds);
    // early and late faults are equally likely, whatever the length of the scenario
    const after = Math.floor(LATEST ** random());
    const duration = Math.floor(2 ** (random() * 13));
    const [from, to] = random.pick(links).map((side) => someOf(side, plan, random)) as [
      string,
      string,
    ];
    const isReplica = kind === "crash" || kind === "pause";
    const isStorage = kind === "lost_reply" || kind === "outage" || kind === "conflict";
    const one = isReplica || isStorage ? random.pick(replicas) : from;
    const turned = random() < 0.5;
    return {
      number: i + 1,
      kind,
      after,
      one: turned && !isReplica && !isStorage ? to : one,
      other: turned ? from : to,
      duration,
    };
  });
}

/** What a fault does, for people. */
export function showFault({ number, kind, one, other, duration, after }: Fault): string {
  const what = {
    crash: `${one} crashes`,
    pause: `${one} hangs for ${duration} ms`,
    partition: `nothing arrives between ${one} and ${other} for ${duration} ms`,
    disconnect: `the connection between ${one} and ${other} ends`,
    drop: `the next message from ${one} to ${other} is lost`,
    delay: `messages from ${one} to ${other} are slow for ${duration} ms`,
    lost_reply: `the next reply of the storage to ${one} is lost`,
    outage: `${one} cannot reach the storage for ${duration} ms`,
    conflict: `somebody else writes what the next commit of ${one} has read`,
  }[kind];
  return `fault ${number}: ${what} (after ${after} messages)`;
}

/** A side of the network: all replicas of a path, or one of them. */
function someOf(side: string, plan: Plan, random: SeededRandom): string {
  const replicas = plan.nodes.find(({ path }) => path === side)?.replicas;
  const which = random();
  return replicas === undefined || which < 0.3
    ? side
    : `${side}.${Math.floor((which - 0.3) / 0.7 * replicas)}`;
}

/** Who calls whom, as far as the plan tells, and the client. */
function linksOf(plan: Plan): [string, string][] {
  const roots = new Map(plan.nodes.toReversed().map(({ service, path }) => [service, path]));
  const links: [string, string][] = [...roots.values()].map((root) => ["client", root]);
  for (const { path, needs } of plan.nodes) for (const need of needs) links.push([path, need]);
  // any service may call any other
  for (const one of roots.values()) {
    for (const other of roots.values()) if (one < other) links.push([one, other]);
  }
  return links;
}
