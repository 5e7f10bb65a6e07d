/**
 * How many calls may be made a second time: a share of all calls, so that they do not make an outage worse.
 *
 * A bucket of tokens: each call puts a part of one in, each repetition takes one out, and for parts that
 * are called seldom some come with time. The same as Finagle's `RetryBudget` and Envoy's `retry_budget`.
 *
 * @module
 */

/** One repetition for so many calls. */
const CALLS = 5;
/** How many come with each second; as many are there at first. */
const PER_SECOND = 10;
/** How many can be saved. */
const MOST = 100;

/** See the module's documentation. */
export class RetryBudget {
  /** Counted in calls. */
  #saved = PER_SECOND * CALLS;
  #since = performance.now();

  /** Notes that a call is made for the first time. */
  deposit(): void {
    if (this.#saved < MOST * CALLS) this.#saved++;
  }

  /** Takes a token. @returns Whether there was one: whether a call may be made once more. */
  withdraw(): boolean {
    const now = performance.now();
    const come = (now - this.#since) / 1000 * PER_SECOND * CALLS;
    const floor = PER_SECOND * CALLS;
    this.#since = now;
    if (this.#saved < floor) this.#saved = Math.min(this.#saved + come, floor);
    if (this.#saved < CALLS) return false;
    this.#saved -= CALLS;
    return true;
  }
}
