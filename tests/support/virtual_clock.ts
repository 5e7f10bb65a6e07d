/**
 * Time that passes only when a test says so.
 *
 * @module
 */

import { setImmediate } from "node:timers";

interface Timer {
  readonly due: number;
  readonly run: () => void;
}

/** Stands in for `performance.now()`, `setTimeout()` and `clearTimeout()` until it is disposed of. */
export class VirtualClock implements Disposable {
  #now = 1_000_000;
  #timers = new Map<number, Timer>();
  #nextId = 1;
  #real = {
    now: performance.now,
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
  };

  constructor() {
    performance.now = () => this.#now;
    globalThis.setTimeout = ((run: () => void, milliseconds = 0) => {
      const id = this.#nextId++;
      this.#timers.set(id, { due: this.#now + milliseconds, run });
      return id;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number) => {
      this.#timers.delete(id);
    }) as unknown as typeof clearTimeout;
  }

  /** How many timers wait. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass; timers fire in order, and what they cause is done before the next. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settled();
    for (;;) {
      const next = [...this.#timers].sort(([, a], [, b]) => a.due - b.due)[0];
      if (next === undefined || next[1].due > end) break;
      this.#timers.delete(next[0]);
      this.#now = Math.max(this.#now, next[1].due);
      next[1].run();
      await settled();
    }
    this.#now = end;
  }

  /** Lets time pass while the event loop is blocked: timers fire late. */
  block(milliseconds: number): void {
    this.#now += milliseconds;
  }

  [Symbol.dispose](): void {
    performance.now = this.#real.now;
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
  }
}

/** Resolves when everything that waits for no more than promises has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
