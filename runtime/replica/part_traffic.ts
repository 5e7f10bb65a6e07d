/**
 * What all calls from one replica to one part have in common.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Peer } from "../peer/peer.ts";
import type { PartCounters } from "../rpc/metrics.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Candidates } from "../topology/target.ts";
import type { CallRules } from "../topology/walk.ts";
import { Hedging } from "./hedging.ts";
import { RetryBudget } from "./retry_budget.ts";

/** Options of {@linkcode PartTraffic}. */
export interface PartTrafficOptions {
  readonly path: string;
  readonly rules: CallRules;
  /** All replicas of the part; they may change at any time. */
  readonly peers: () => readonly Peer[];
  /** Which of them belong to the caller's instance. Default: all. */
  readonly slice?: { readonly start: number; readonly width: number };
  readonly counters: PartCounters;
  /** Makes spans of calls, where telemetry is on. */
  readonly tracing?: Tracing;
}

/** See the module's documentation. Replicas are numbered within the caller's slice. */
export class PartTraffic implements Candidates {
  readonly retries: number;
  readonly idempotent: boolean;
  readonly timeout: number;
  readonly hedging: Hedging | undefined;
  readonly budget = new RetryBudget();
  readonly counters: PartCounters;
  readonly tracing: Tracing | undefined;
  readonly path: string;
  #peers: () => readonly Peer[];
  #start: number;
  #width: number | undefined;

  constructor({ path, rules, peers, slice, counters, tracing }: PartTrafficOptions) {
    this.retries = rules.retries;
    this.idempotent = rules.idempotent;
    this.timeout = rules.timeout;
    this.hedging = rules.hedge && new Hedging(rules.hedge);
    this.counters = counters;
    this.tracing = tracing;
    this.path = path;
    this.#peers = peers;
    this.#start = slice?.start ?? 0;
    this.#width = slice?.width;
  }

  get replicas(): number {
    return this.#width ?? this.#peers().length;
  }

  peer(index: number): Peer | undefined {
    return this.#peers()[this.#start + index];
  }

  pending(index: number): number {
    return this.peer(index)?.pending ?? 0;
  }

  available(index: number): boolean {
    return this.peer(index)?.available ?? false;
  }

  /** The name of a replica. */
  name(index: number): string {
    return `${this.path}.${this.#start + index}`;
  }

  /** The error of a call to a replica that is not there. */
  absent(index: number): MpError {
    const replica = this.name(index);
    return new MpError(
      "replica_unreachable",
      `Cannot call ${replica}: there is no such replica`,
      { replica, reason: "absent" },
    );
  }
}
