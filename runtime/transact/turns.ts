/**
 * Whose turn it is on a scope, among the bodies of one replica that wait for something while they run.
 *
 * Bodies that run to their end at once need no turn. Of those that wait, only one at a time runs on a
 * scope: otherwise whichever ends first would make all others run again.
 *
 * @module
 */

/** A place in the queues of some scopes. */
export interface Turn {
  readonly scopes: readonly string[];
  /** Whether nobody may run on the scopes besides, not even a body that runs to its end at once. */
  readonly isReserved: boolean;
}

interface Place extends Turn {
  readonly start: (turn: Turn) => void;
  /** On how many of its scopes it is not the turn's. */
  ahead: number;
}

/** The queues of scopes; whose turn it is on a scope is at the head. */
export class Turns {
  #queues = new Map<string, Place[]>();

  /** Whether nobody has a turn on any of the scopes. */
  areFree(scopes: Iterable<string>): boolean {
    if (this.#queues.size === 0) return true;
    for (const scope of scopes) if (this.#queues.has(scope)) return false;
    return true;
  }

  /** Whether somebody else has a turn on one of the scopes that shuts everybody out. */
  areReserved(scopes: Iterable<string>, own: Turn | undefined): boolean {
    if (this.#queues.size === 0) return false;
    for (const scope of scopes) {
      const head = this.#queues.get(scope)?.[0];
      if (head?.isReserved && head.ahead === 0 && head !== own) return true;
    }
    return false;
  }

  /**
   * Calls `start` when it is its turn on all scopes, in the order of asking; at once if it is now. It keeps
   * the turn until it is released.
   */
  wait(scopes: Iterable<string>, isReserved: boolean, start: (turn: Turn) => void): void {
    // all queues are joined at once, so nobody ever waits for somebody who waits for it
    const place: Place = { scopes: [...scopes], isReserved, start, ahead: 0 };
    for (const scope of place.scopes) {
      const queue = this.#queues.get(scope);
      if (queue === undefined) this.#queues.set(scope, [place]);
      else {
        queue.push(place);
        place.ahead++;
      }
    }
    if (place.ahead === 0) start(place);
  }

  /** Ends a turn, and starts whose turn it is now. */
  release(turn: Turn): void {
    const next: Place[] = [];
    for (const scope of turn.scopes) {
      const queue = this.#queues.get(scope)!;
      queue.shift();
      const head = queue[0];
      if (head === undefined) this.#queues.delete(scope);
      else if (--head.ahead === 0) next.push(head);
    }
    for (const place of next) place.start(place);
  }
}
