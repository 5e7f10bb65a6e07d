/**
 * Work on many things at once, and not on too many.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";

/** How many are done at once, unless it is said. */
const AT_ONCE = 16;

/**
 * Does something with each, some at once. The first error ends it, once those under way are done; when the engine is
 * gone, which answers none of them, their signal aborts.
 */
export async function inGroups<T>(
  items: readonly T[],
  work: (item: T, gone: AbortSignal) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const failures: unknown[] = [];
  const gone = new AbortController();
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, async () => {
    for (
      let item = left.shift();
      item !== undefined && failures.length === 0;
      item = left.shift()
    ) {
      try {
        await work(item, gone.signal);
      } catch (error) {
        failures.push(error);
        if (error instanceof MpError && error.code === "engine_unavailable") gone.abort(error);
      }
    }
  }));
  if (failures.length > 0) throw failures[0];
}
