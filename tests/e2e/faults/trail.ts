/**
 * What something that changes remembers of its changes: how many there were, and the marks of the last ones.
 *
 * Whoever sees it tells which changes they are, also those whose callers never heard of them. So a search for an order
 * need not guess which of many lost calls were carried out, and when.
 *
 * @module
 */

import type { Operation } from "../../../runtime/check/history.ts";

/** See the module. */
export type Trail = readonly [changes: number, last: readonly string[]];

/** How many marks are remembered. */
export const REMEMBERED = 32;

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

/** What an operation tells: the trail of each thing that it has seen, with its own change if it made one. */
export type TrailsOf<Input, Output> = (
  operation: Operation<Input, Output>,
) => readonly (readonly [name: string, trail: Trail])[];

/**
 * Leaves out what was lost and has not happened, since nobody has ever seen its mark: a search would try it everywhere.
 * Where somebody may have missed a change, nothing is left out.
 */
export function withoutUnseen<Input extends object, Output>(
  operations: readonly Operation<Input, Output>[],
  trailsOf: TrailsOf<Input, Output>,
): readonly Operation<Input, Output>[] {
  const marks = new Map<string, string[]>();
  for (const operation of operations) {
    if (operation.returned === undefined) continue;
    for (const [name, [changes, last]] of trailsOf(operation)) {
      const known = marks.get(name) ?? [];
      marks.set(name, known);
      last.forEach((mark, i) => known[changes - last.length + i] = mark);
    }
  }
  const seen = new Set<string | undefined>();
  for (const known of marks.values()) for (const mark of known) seen.add(mark);
  if (seen.has(undefined)) return operations;
  return operations.filter(({ input, returned }) =>
    returned !== undefined || !("mark" in input) || seen.has(input.mark as string)
  );
}
