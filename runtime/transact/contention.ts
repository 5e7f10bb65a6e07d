/**
 * Which scopes other replicas are changing too, and when it is their turn.
 *
 * Where several replicas change one scope, each success of one is a refusal of the others, who try
 * again at once, on what is current then. Pausing after a refusal would be of no use: what a replica
 * knows is stale after any pause. But whoever succeeds learns so first, and would always be first again.
 * So the winner pauses, and lets others go first.
 *
 * @module
 */

interface Contended {
  /** How often others were first since the last success. */
  refusals: number;
  /** The same, on average: about how many others there are. */
  others: number;
  /** When others were first for the last time, by `performance.now()`. */
  lastRefusal: number;
  /** Until when it is left to others. */
  until: number;
}

/** For how long it is remembered that others change a scope, in milliseconds. */
const MEMORY = 5_000;
/** The longest pause, in milliseconds. */
const LONGEST = 200;
/** How many scopes are remembered; those that nobody uses any more stay. */
const MOST_KEPT = 1_000;

/** See the module's documentation. */
export class Contention {
  #contended = new Map<string, Contended>();
  #random: () => number;

  /** @param random Numbers from 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Notes that others were first. */
  refused(scope: string, now: number): void {
    let known = this.#contended.get(scope);
    if (known === undefined) {
      if (this.#contended.size >= MOST_KEPT) this.#contended.clear();
      this.#contended.set(scope, known = { refusals: 0, others: 1, lastRefusal: 0, until: 0 });
    }
    known.refusals++;
    known.lastRefusal = now;
  }

  /** Notes a success: others may go first, for a time of full jitter (Brooker, 2015) over what they need. */
  done(scope: string, now: number, roundTrip: number): void {
    const known = this.#contended.get(scope);
    if (known === undefined) return;
    if (now - known.lastRefusal > MEMORY) this.#contended.delete(scope);
    known.others += (known.refusals - known.others) / 4;
    known.refusals = 0;
    known.until = now + this.#random() * Math.min(LONGEST, roundTrip * Math.max(1, known.others));
  }

  /** Until when a scope is left to others. */
  until(scope: string): number {
    return this.#contended.size === 0 ? 0 : this.#contended.get(scope)?.until ?? 0;
  }
}
