/**
 * When it is time to ask the other side of a connection for a sign of life.
 *
 * @module
 */

import { deadlines, Timed } from "./deadlines.ts";

/** One for a connection; it is in the wheel of deadlines while the other side owes a sign. */
export class Pulse extends Timed {
  /**
   * @param after How long the other side may be silent, in milliseconds.
   * @param feel Asks if it is time to; returns for how long it is not, if it will be.
   */
  constructor(readonly after: number, readonly feel: () => number | undefined) {
    super();
  }

  /** The other side owes a sign from now on, if it does not already. @param now By `performance.now()`. */
  arm(now: number): void {
    if (this.slot < 0) deadlines.add(this, this.after, now);
  }

  /** It owes none. */
  rest(): void {
    deadlines.remove(this);
  }

  override expire(): void {
    const left = this.feel();
    if (left !== undefined) deadlines.add(this, left);
  }
}
