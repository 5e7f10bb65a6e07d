/**
 * Whether each thing that was to happen once did.
 *
 * @module
 */

/** What clients know of what they asked for, by the marks that they gave it. */
export interface Asked {
  /** What was acknowledged. */
  readonly acknowledged: Iterable<string>;
  /** What may have happened. */
  readonly unknown?: Iterable<string>;
}

/**
 * Compares what was asked for with what is there.
 *
 * @param asked The marks of all that was asked for and has not surely failed.
 * @param found The marks that are there, each as often as it is.
 * @returns What is wrong, a sentence each without a full stop; empty when nothing is.
 */
export function checkExactlyOnce(
  { acknowledged, unknown = [] }: Asked,
  found: Iterable<string>,
): string[] {
  const counts = new Map<string, number>();
  for (const mark of found) counts.set(mark, (counts.get(mark) ?? 0) + 1);
  const must = new Set(acknowledged);
  const may = new Set(unknown);
  const wrong: string[] = [];
  for (const mark of must) {
    if (!counts.has(mark)) wrong.push(`"${mark}" was acknowledged and is not there`);
  }
  for (const [mark, count] of counts) {
    if (count > 1) wrong.push(`"${mark}" happened ${count} times`);
    if (!must.has(mark) && !may.has(mark)) {
      wrong.push(`"${mark}" happened, which nobody asked for or which was said to have failed`);
    }
  }
  return wrong;
}
