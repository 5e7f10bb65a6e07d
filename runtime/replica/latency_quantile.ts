/**
 * How long calls take that take long: a quantile of what was observed lately.
 *
 * Counts in buckets whose bounds grow by a twelfth each, so that the answer is right to that extent, and
 * counting costs a logarithm. What is old counts for less and less.
 *
 * @module
 */

const SHORTEST = 0.1;
const PER_DOUBLING = 8;
const BUCKETS = 160;
/** Fewer observations say nothing of the rare ones. */
const ENOUGH = 100;
/** When there are so many, all of them count for half. */
const MANY = 2_000;
/** The quantile is computed anew after so many observations. */
const FRESH = 64;

/** See the module's documentation. */
export class LatencyQuantile {
  #quantile: number;
  #counts = new Float64Array(BUCKETS);
  #total = 0;
  #fresh = 0;
  #value: number | undefined;

  /** @param quantile Such as 0.95. */
  constructor(quantile: number) {
    this.#quantile = quantile;
  }

  /** The quantile in milliseconds; `undefined` while too little is known. */
  get value(): number | undefined {
    return this.#value;
  }

  /** Notes how long a call took, in milliseconds. */
  observe(milliseconds: number): void {
    const bucket = Math.floor(Math.log2(milliseconds / SHORTEST) * PER_DOUBLING);
    this.#counts[Math.max(0, Math.min(bucket, BUCKETS - 1))]!++;
    this.#total++;
    if (++this.#fresh < FRESH || this.#total < ENOUGH) return;
    this.#fresh = 0;
    this.#value = this.#compute();
    if (this.#total < MANY) return;
    this.#counts.forEach((count, i) => this.#counts[i] = count / 2);
    this.#total /= 2;
  }

  #compute(): number {
    let above = this.#total * (1 - this.#quantile);
    let bucket = BUCKETS - 1;
    while (bucket > 0 && (above -= this.#counts[bucket]!) > 0) bucket--;
    return SHORTEST * 2 ** ((bucket + 1) / PER_DOUBLING);
  }
}
