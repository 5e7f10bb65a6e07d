/**
 * Many requests, some at a time.
 *
 * @module
 */

/** Does something with each item, at most `most` at a time. The first failure ends it. */
export async function atOnce<T, R>(
  items: readonly T[],
  most: number,
  each: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, async () => {
    while (next < items.length) {
      const at = next++;
      try {
        results[at] = await each(items[at]!);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  }));
  return results;
}
