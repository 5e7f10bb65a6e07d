/**
 * Whether a replica that can be reached fails its calls one after the other.
 *
 * It is then left out for a while, and for longer each time; afterwards it gets one call at a time until one
 * succeeds. Only what the replica itself is to blame for counts: calls that it does not answer in time, and
 * connections that break again and again. What handlers throw does not: it would be thrown elsewhere, too.
 *
 * @module
 */

/** So many failures, and no answer between them, are no accident. */
const SEVERAL = 5;
const FIRST_REST = 1_000;
const LONGEST_REST = 30_000;

/** How long a replica is spared at most that asks for it: what it says is a guess. */
const LONGEST_SPARE = 1_000;

/** See the module's documentation. */
export class Health {
  #failures = 0;
  #rests = 0;
  #until = 0;
  #sparedUntil = 0;

  /** Whether there is anything to be considered. */
  get concerns(): boolean {
    return this.#failures > 0 || this.#sparedUntil > 0;
  }

  /**
   * Whether it may get a call now.
   *
   * @param pending How many it has not answered yet.
   */
  mayTry(pending: number): boolean {
    const now = performance.now();
    if (this.#sparedUntil > now) return false;
    this.#sparedUntil = 0;
    if (this.#until > now) return false;
    return this.#rests === 0 || pending === 0;
  }

  /** It has answered. */
  succeeded(): void {
    this.#failures = this.#rests = this.#until = 0;
  }

  /** It has failed. @returns Whether it is left out from now on. */
  failed(): boolean {
    this.#failures++;
    if (this.#rests === 0 && this.#failures < SEVERAL) return false;
    const now = performance.now();
    // calls that were made before fail as well, and say nothing new
    if (this.#until > now) return false;
    this.#until = now + Math.min(FIRST_REST * 2 ** this.#rests++, LONGEST_REST);
    return true;
  }

  /** It has more than it can do, and asks to be spared. */
  spare(milliseconds: number): void {
    this.#sparedUntil = performance.now() + Math.min(milliseconds, LONGEST_SPARE);
  }
}
