/**
 * Whether a sum stays what it was.
 *
 * @module
 */

/**
 * Compares sums with what they must be.
 *
 * @param total The sum at all times.
 * @param snapshots The parts, each time that all of them were seen at one moment.
 * @returns What is wrong, a sentence each without a full stop; empty when nothing is.
 */
export function checkConserved(
  total: number,
  snapshots: Iterable<readonly number[]>,
): string[] {
  const wrong: string[] = [];
  let number = 0;
  for (const parts of snapshots) {
    const sum = parts.reduce((sum, part) => sum + part, 0);
    if (sum !== total) {
      wrong.push(`snapshot ${number} adds up to ${sum} instead of ${total}: ${parts.join(", ")}`);
    }
    number++;
  }
  return wrong;
}
