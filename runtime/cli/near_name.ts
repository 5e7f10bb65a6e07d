/**
 * What somebody meant who typed something else.
 *
 * @module
 */

/**
 * The candidate nearest to `name`, when it is near enough to have been meant.
 *
 * Near is a prefix of at least two letters, or at most one edit for every three letters: a letter put
 * in, left out or replaced, or two neighbours swapped.
 */
export function nearName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const have = candidate.toLowerCase();
    const edits = wanted.length > 1 && have.startsWith(wanted) ? 0.5 : editDistance(wanted, have);
    if (edits <= limit && edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** `Did you mean "x"?`, with the near name; otherwise the fallback. */
export function didYouMean(
  name: string,
  candidates: Iterable<string>,
  fallback: string,
  quote: (name: string) => string = (near) => `"${near}"`,
): string {
  const near = nearName(name, candidates);
  return near === undefined ? fallback : `Did you mean ${quote(near)}?`;
}

/** Optimal string alignment: Levenshtein's distance, with swapped neighbours as one edit. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
      }
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length]!;
}
