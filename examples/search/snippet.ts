/**
 * The place of a document that shows best why it was found.
 *
 * @module
 */

import type { IndexedDocument } from "./inverted_index.ts";
import type { Match } from "./ranking.ts";

/** How many words a snippet has at most. */
const WORDS = 30;
/** How much may stand between two words of it; a table's rule or encoded data is left out. */
const LONGEST_GAP = 40;

/**
 * Cuts out the stretch of a document with the most different matches, and marks them:
 * `…in which a «Lamport clock» orders «events»…`.
 *
 * @param matches What the query's clauses matched in it.
 */
export function makeSnippet(
  { text, spans, words }: IndexedDocument,
  matches: readonly Match[],
): string {
  const [from, to] = bestStretch(matches, words);
  const marks = unite(matches, from, to);
  let snippet = from === 0 ? "" : "…";
  let end = from === 0 ? 0 : spans[2 * from]!;
  for (let word = from; word < to; word++) {
    const start = spans[2 * word]!;
    snippet += gap(text.slice(end, start));
    end = spans[2 * word + 1]!;
    if (marks.starts.has(word)) snippet += "«";
    snippet += text.slice(start, end);
    if (marks.ends.has(word + 1)) snippet += "»";
  }
  return (snippet + (to < words ? "…" : gap(text.slice(end)))).trim();
}

/** The words from which and before which the snippet goes. */
function bestStretch(matches: readonly Match[], words: number): [number, number] {
  const all = matches.flatMap(({ places }, clause) => places.map((at) => ({ at, clause })))
    .sort((a, b) => a.at - b.at);
  const counts = new Map<number, number>();
  let best = { clauses: 0, matches: 0, first: 0, last: 0 };
  for (let first = 0, last = 0; first < all.length; first++) {
    for (; last < all.length && all[last]!.at < all[first]!.at + WORDS; last++) {
      counts.set(all[last]!.clause, (counts.get(all[last]!.clause) ?? 0) + 1);
    }
    const here = { clauses: counts.size, matches: last - first };
    if (
      here.clauses > best.clauses || here.clauses === best.clauses && here.matches > best.matches
    ) {
      best = { ...here, first: all[first]!.at, last: all[last - 1]!.at };
    }
    const left = counts.get(all[first]!.clause)! - 1;
    if (left === 0) counts.delete(all[first]!.clause);
    else counts.set(all[first]!.clause, left);
  }
  // what is left over of the length goes to both sides, or to the other where the text ends
  const before = Math.floor((WORDS - 1 - (best.last - best.first)) / 2);
  const from = Math.max(0, Math.min(best.first - before, words - WORDS));
  return [from, Math.min(words, from + WORDS)];
}

/** Where marks begin and end, with matches that overlap united. */
function unite(matches: readonly Match[], from: number, to: number) {
  const starts = new Set<number>();
  const ends = new Set<number>();
  let end = -1;
  const inside = matches.flatMap(({ places, words }) =>
    places.filter((at) => at >= from && at < to).map((at) => ({ at, words }))
  );
  for (const { at, words } of inside.sort((a, b) => a.at - b.at)) {
    if (at >= end) starts.add(at);
    else ends.delete(end);
    end = Math.min(to, Math.max(end, at + words));
    ends.add(end);
  }
  return { starts, ends };
}

/** What stands between two words, in one line. */
function gap(text: string): string {
  const short = text.replace(/\s+/g, " ");
  return short.length > LONGEST_GAP ? " … " : short;
}
