/**
 * The two rounds of a search, as the leaves answer them and the gather merges them.
 *
 * @module
 */

import type { InvertedIndex } from "./inverted_index.ts";
import type { Query } from "./query.ts";
import { compareHits, countMatches, rank, type Statistics, sumStatistics } from "./ranking.ts";
import { makeSnippet } from "./snippet.ts";

/** What the leaves are asked. */
export interface Round {
  readonly query: Query;
  /** How many hits are wanted. */
  readonly limit: number;
  /** Those of all leaves, in the second round; absent in the first. */
  readonly statistics?: Statistics;
}

/** A document that was found. */
export interface Hit {
  readonly file: string;
  readonly score: number;
  /** A piece of its text, in which what was looked for is marked: `«…»`. */
  readonly snippet: string;
}

/** What a leaf answers, and what all leaves answer together. */
export interface Answer {
  readonly statistics: Statistics;
  /** How many documents were found; 0 in the first round. */
  readonly found: number;
  /** The best of them, the best first. */
  readonly hits: readonly Hit[];
}

/** Runs on a leaf: counts in the first round, ranks in the second. */
export function answerRound(index: InvertedIndex, { query, limit, statistics }: Round): Answer {
  if (!statistics) return { statistics: countMatches(index, query), found: 0, hits: [] };
  const ranked = rank(index, query, statistics);
  const hits = ranked.slice(0, limit).map(({ document, score, matches }) => {
    const indexed = index.documents[document]!;
    return { file: indexed.file, score, snippet: makeSnippet(indexed, matches) };
  });
  return { statistics, found: ranked.length, hits };
}

/** Runs on the gather: adds up what the leaves counted, and keeps the best of what they found. */
export function mergeAnswers(answers: readonly Answer[], { limit, statistics }: Round): Answer {
  const hits = answers.flatMap((answer) => answer.hits)
    .sort((a, b) => compareHits(a.score, a.file, b.score, b.file));
  return {
    statistics: statistics ?? sumStatistics(answers.map((answer) => answer.statistics)),
    found: answers.reduce((sum, answer) => sum + answer.found, 0),
    hits: hits.slice(0, limit),
  };
}
