/**
 * Whether the other side of a connection lives, as far as it can be told: when it owes an answer and is silent, it is
 * asked for a sign of life.
 *
 * @module
 */

import { Pulse } from "./pulse.ts";

/** See the module's documentation. */
export class SignOfLife {
  /** Since when the other side owes one; 0 while it owes none. */
  #owedSince = 0;
  /** Whether it has been asked for one, since it was last heard of. */
  #asked = false;
  #ask: () => void;
  #pulse: Pulse | undefined;

  /**
   * @param after After how long a silent other side is asked, in milliseconds; `undefined` for never.
   * @param ask Asks it. When it comes to itself it answers, however late.
   */
  constructor(after: number | undefined, ask: () => void) {
    this.#ask = ask;
    if (after !== undefined) this.#pulse = new Pulse(after, () => this.#feel());
  }

  /**
   * For how long the other side, which has been asked something, has not been heard of, in milliseconds. That
   * nobody waits for the answer any more makes it no less silent.
   */
  get silence(): number {
    return this.#owedSince === 0 ? 0 : performance.now() - this.#owedSince;
  }

  /** Whether the event loop of the other side is blocked, or stopped: it does not even say that it lives. */
  get stalled(): boolean {
    return this.#asked && this.silence >= 2 * this.#pulse!.after;
  }

  /** Notes that the other side has been asked something. @param now By `performance.now()`. */
  owe(now: number): void {
    if (this.#owedSince !== 0) return;
    this.#owedSince = now;
    this.#pulse?.arm(now);
  }

  /** Notes that something has come from it. @param owes Whether it still owes an answer. */
  heard(owes: boolean): void {
    this.#owedSince = owes ? performance.now() : 0;
    this.#asked = false;
  }

  /** Notes what has become of its debts, when all that has come has been read. */
  settle(owes: boolean): void {
    if (owes) {
      const now = performance.now();
      if (this.#owedSince === 0) this.#owedSince = now;
      return this.#pulse?.arm(now);
    }
    this.#owedSince = 0;
    this.#pulse?.rest();
  }

  /** Asks no more. */
  rest(): void {
    this.#pulse?.rest();
  }

  #feel(): number | undefined {
    if (this.#owedSince === 0) return undefined;
    const left = this.#pulse!.after - this.silence;
    if (left > 0) return left;
    this.#asked = true;
    this.#ask();
    return undefined;
  }
}
