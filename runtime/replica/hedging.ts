/**
 * When calls are made on a second replica: after a fixed time, or after the observed 95th percentile.
 *
 * All calls to a part wait equally long, so they stand in a queue, and one timer is enough for them. It is
 * finer than the wheel of deadlines, whose ticks are longer than most calls.
 *
 * @module
 */

import type { Hedge } from "../topology/target.ts";
import { LatencyQuantile } from "./latency_quantile.ts";

/** A call that waits for its answer. */
export interface Hedged {
  /** Makes the call on a second replica. */
  hedge(): void;
}

/** A place in the queue. */
export interface HedgeEntry {
  readonly call: Hedged;
  /** `performance.now()` */
  readonly due: number;
  previous: HedgeEntry | undefined;
  next: HedgeEntry | undefined;
}

/** See the module's documentation. */
export class Hedging {
  #after: number | undefined;
  #latency: LatencyQuantile | undefined;
  #first: HedgeEntry | undefined;
  #last: HedgeEntry | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ after }: Hedge) {
    if (after === "p95") this.#latency = new LatencyQuantile(0.95);
    else this.#after = after;
  }

  /** Has a call made on a second replica in time. @returns Its place, unless too little is known as yet. */
  add(call: Hedged, now: number): HedgeEntry | undefined {
    const after = this.#after ?? this.#latency!.value;
    if (after === undefined) return undefined;
    const last = this.#last;
    const entry: HedgeEntry = { call, due: now + after, previous: last, next: undefined };
    if (last) last.next = entry;
    else this.#first = entry;
    this.#last = entry;
    this.#timer ??= setTimeout(this.#tick, after);
    return entry;
  }

  /** The call has been answered, and its place is free. */
  remove(entry: HedgeEntry): void {
    if (entry.previous) entry.previous.next = entry.next;
    else if (this.#first === entry) this.#first = entry.next;
    else return;
    if (entry.next) entry.next.previous = entry.previous;
    else this.#last = entry.previous;
    entry.previous = entry.next = undefined;
    if (this.#first !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Notes how long an answer took in all, in milliseconds. */
  observe(milliseconds: number): void {
    this.#latency?.observe(milliseconds);
  }

  #tick = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    // the percentile may have changed since they came, so that some are a little late
    for (let entry = this.#first; entry && entry.due <= now; entry = this.#first) {
      this.remove(entry);
      entry.call.hedge();
    }
    if (this.#first) this.#timer ??= setTimeout(this.#tick, Math.max(this.#first.due - now, 0));
  };
}
