/**
 * Work on many things at once, and not on too many.
 *
 * @module
 */

/** How many are done at once, unless it is said. */
const AT_ONCE = 16;

/** Does something with each, some at once; the first error ends it, once those under way are done. */
export async function inGroups<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const failures: unknown[] = [];
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, async () => {
    for (
      let item = left.shift();
      item !== undefined && failures.length === 0;
      item = left.shift()
    ) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  }));
  if (failures.length > 0) throw failures[0];
}
