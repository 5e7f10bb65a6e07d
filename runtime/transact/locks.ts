/**
 * Whose turn it is on a scope, among the bodies of one replica that wait for something while they run.
 *
 * Bodies that run to their end at once need no turn. Of those that wait, only one at a time runs on a
 * scope: otherwise whichever ends first would make all others run again.
 *
 * @module
 */

interface Waiting {
  readonly scopes: ReadonlySet<string>;
  readonly start: () => void;
}

/** See the module's documentation. */
export class Locks {
  #held = new Set<string>();
  #waiting: Waiting[] = [];

  /** Whether a body may run on the scopes now: none is held, and nobody waits for one. */
  free(scopes: ReadonlySet<string>): boolean {
    for (const scope of scopes) if (this.#held.has(scope)) return false;
    return !this.#waiting.some((other) => !other.scopes.isDisjointFrom(scopes));
  }

  /** Holds scopes that are free. */
  hold(scopes: ReadonlySet<string>): void {
    for (const scope of scopes) this.#held.add(scope);
  }

  /** Calls `start` when it is its turn on all scopes, in the order of asking. */
  wait(scopes: ReadonlySet<string>, start: () => void): void {
    this.#waiting.push({ scopes, start });
  }

  /** Lets go of scopes, and starts whose turn it is now. */
  release(scopes: ReadonlySet<string>): void {
    for (const scope of scopes) this.#held.delete(scope);
    const claimed = new Set(this.#held);
    const ready: Waiting[] = [];
    this.#waiting = this.#waiting.filter((waiting) => {
      const free = waiting.scopes.isDisjointFrom(claimed);
      // who came later must not overtake on a scope
      for (const scope of waiting.scopes) claimed.add(scope);
      if (free) ready.push(waiting);
      return !free;
    });
    for (const { start } of ready) start();
  }
}
