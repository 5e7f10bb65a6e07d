/**
 * How many calls may be made a second time: a share of all calls, so that they do not make an outage worse.
 *
 * A bucket of tokens: each call puts a part of one in, each repetition takes one out, and for parts that
 * are called seldom some come with time. The same as Finagle's `RetryBudget` and Envoy's `retry_budget`.
 *
 * @module
 */

/** What each call puts in: one repetition for five calls. */
const SHARE = 0.2;
/** How many come with each second; as many are there at first. */
const PER_SECOND = 10;
/** How many can be saved. */
const MOST = 100;

/** See the module's documentation. */
export class RetryBudget {
  #tokens = PER_SECOND;
  #since = performance.now();

  /** Notes that a call is made for the first time. */
  deposit(): void {
    if (this.#tokens < MOST) this.#tokens += SHARE;
  }

  /** Takes a token. @returns Whether there was one: whether a call may be made once more. */
  withdraw(): boolean {
    const now = performance.now();
    const come = (now - this.#since) / 1000 * PER_SECOND;
    this.#since = now;
    if (this.#tokens < PER_SECOND) this.#tokens = Math.min(this.#tokens + come, PER_SECOND);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
