/**
 * What something that changes remembers of its changes: how many there were, and the marks of the last ones.
 *
 * Whoever sees it tells which changes they are, also those whose callers never heard of them. So a search for an order
 * need not guess which of many lost calls were carried out, and when.
 *
 * @module
 */

/** See the module. */
export type Trail = readonly [changes: number, last: readonly string[]];

/** How many marks are remembered. */
export const REMEMBERED = 12;

/** One change more. */
export function changed([changes, last]: Trail, mark: string): Trail {
  return [changes + 1, [...last, mark].slice(-REMEMBERED)];
}

/** Whether changes can lead from one to the other. */
export function mayBecome([changes, last]: Trail, [later, seen]: Trail): boolean {
  const missing = later - changes;
  if (missing < 0) return false;
  // the marks that both remember
  const common = Math.min(seen.length - missing, last.length);
  for (let i = 0; i < common; i++) {
    if (seen[seen.length - missing - 1 - i] !== last[last.length - 1 - i]) return false;
  }
  return true;
}
