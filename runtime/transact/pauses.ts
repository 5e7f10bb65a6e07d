/**
 * Pauses that all end when their owner does.
 *
 * @module
 */

const FIRST = 5;
const LONGEST = 500;

/** How long to wait after a fault, in milliseconds: half of a time that doubles, and as much again at random. */
export function backOff(attempt: number, random: () => number = Math.random): number {
  return Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 10)) * (0.5 + random() / 2);
}

/** Pauses of one owner. */
export class Pauses {
  #ends = new Set<() => void>();
  #ended = false;

  /** Resolves when the time is over, the signal aborts, or the owner ends. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ended || signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        this.#ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal?.addEventListener("abort", end);
      this.#ends.add(end);
    });
  }

  /** Ends all pauses, and those to come. */
  end(): void {
    this.#ended = true;
    for (const end of [...this.#ends]) end();
  }
}
