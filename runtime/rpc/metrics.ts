/**
 * What the endpoint counts. Plain numbers, so that counting costs a few additions; `prometheus.ts` reads
 * them when it is asked.
 *
 * @module
 */

import type { Code } from "../errors.ts";

/** Upper bounds of the latency histogram's buckets, in milliseconds. */
export const BUCKETS: readonly number[] = Object.freeze([
  ...[0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500],
  ...[1000, 2500, 5000, 10_000, 30_000],
]);

/** The counters of one method. */
export class MethodMetrics {
  readonly name: string;
  /** Calls that were answered. */
  answered = 0;
  /** Calls that are being answered. */
  inFlight = 0;
  /** How long all answers took together, in milliseconds. */
  total = 0;
  /** How many answers took at most as long as each of {@linkcode BUCKETS}, and one more for longer ones. */
  readonly buckets: number[] = new Array(BUCKETS.length + 1).fill(0);
  /** How many answers were errors, by code. */
  readonly errors: Map<Code, number> = new Map();

  constructor(name: string) {
    this.name = name;
  }

  /** Notes that a call is being answered. */
  begin(): void {
    this.inFlight++;
  }

  /** Notes that a call that had arrived then, by `performance.now()`, has been answered. */
  end(arrived: number): void {
    const took = performance.now() - arrived;
    this.inFlight--;
    this.answered++;
    this.total += took;
    let bucket = 0;
    while (bucket < BUCKETS.length && took > BUCKETS[bucket]!) bucket++;
    this.buckets[bucket]!++;
  }

  /** Notes that an answer was an error. */
  fail(code: Code): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}

/** What is counted of the calls from this replica to one part. */
export class PartCounters {
  /** Calls that were made once more, since they could not be answered. */
  retries = 0;
  /** Calls that were made on a second replica, since they had no answer yet. */
  hedges = 0;
  /** Those of them that the second replica answered first. */
  hedgesWon = 0;
  /** How often a replica was left out, by why. */
  readonly leftOut: Record<"failing" | "silent", number> = { failing: 0, silent: 0 };
}

/** Open connections to other replicas. */
export interface OpenConnections {
  /** Over which this replica calls. */
  readonly outbound: number;
  /** Over which it is called. */
  readonly inbound: number;
}

/** The counters of a replica: of its endpoints, and of the calls that it makes and refuses. */
export class RpcMetrics {
  #methods = new Map<string, MethodMetrics>();
  #parts = new Map<string, PartCounters>();
  /** Calls that were refused, since the replica had more than it can do. */
  shed = 0;
  /** Calls that wait for their turn. */
  queued = 0;
  /** Counts the open connections. */
  connections: (() => OpenConnections) | undefined;
  /** Counts the open connections of callers at the doors, where the system can tell. */
  doorConnections: (() => number) | undefined;
  /** Bodies and calls that were refused before a method was known, by code. */
  readonly refused: Map<Code, number> = new Map();

  /** The counters of a method, if there are any. */
  get(method: string): MethodMetrics | undefined {
    return this.#methods.get(method);
  }

  /** Adds counters for a method that exists: what callers make up must never be added. */
  add(method: string): MethodMetrics {
    const metrics = this.#methods.get(method) ?? new MethodMetrics(method);
    this.#methods.set(method, metrics);
    return metrics;
  }

  /** The counters of the calls to a part, by its path. */
  part(path: string): PartCounters {
    const counters = this.#parts.get(path) ?? new PartCounters();
    this.#parts.set(path, counters);
    return counters;
  }

  /** Those of all parts, by path. */
  get parts(): ReadonlyMap<string, PartCounters> {
    return this.#parts;
  }

  /** Notes that a body or a call was refused. */
  refuse(code: Code): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  /** How many calls are being answered. */
  get inFlight(): number {
    let sum = 0;
    for (const method of this.#methods.values()) sum += method.inFlight;
    return sum;
  }

  /** The counters of all methods. */
  [Symbol.iterator](): IterableIterator<MethodMetrics> {
    return this.#methods.values();
  }
}
