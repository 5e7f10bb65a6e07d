/**
 * The end of a turn of the event loop, at which what several calls have to send leaves together.
 *
 * @module
 */

let waiting: (() => void)[] = [];

/** Calls back when the event loop has dealt with all that has arrived by now. */
export function afterTurn(callback: () => void): void {
  // one immediate serves all who wait
  if (waiting.push(callback) === 1) setImmediate(end);
}

function end(): void {
  const callbacks = waiting;
  waiting = [];
  for (const callback of callbacks) callback();
}

/** Forgets who waits; for a simulation, which ends in the middle of a turn. */
export function forgetTurn(): void {
  waiting = [];
}
