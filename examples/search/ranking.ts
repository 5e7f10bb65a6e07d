/**
 * Which documents answer a query, and which answers it best: Okapi BM25.
 *
 * A rare word says more than a common one, so a score depends on how many documents *of all leaves* have
 * the word. A leaf knows only its own. With scores made from its own numbers, a word that happens to be
 * rare on one leaf would lift that leaf's documents above equal ones elsewhere, and the order would
 * depend on the number of leaves. So a search asks twice: first every leaf counts, then, with the sums of
 * all leaves, every leaf ranks; the same documents then have the same scores on one leaf or on a hundred.
 * (Elasticsearch calls this `dfs_query_then_fetch`; its default saves the first round and is content
 * with the leaf's own numbers, which are good enough when every leaf has very many documents.)
 *
 * See S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
 *
 * @module
 */

import type { InvertedIndex, Places } from "./inverted_index.ts";
import type { Query } from "./query.ts";

/** What scores depend on besides the document; JSON, and sums of the leaves' own. */
export interface Statistics {
  /** The number of documents. */
  readonly documents: number;
  /** The number of words in them. */
  readonly words: number;
  /** How many documents each clause of the query matches, in the order of the query. */
  readonly matching: readonly number[];
}

/** A document that answers a query. */
export interface Ranked {
  /** Its number in the index. */
  readonly document: number;
  readonly score: number;
  /** What the query's clauses matched in it. */
  readonly matches: readonly Match[];
}

/** What one clause matched in one document. */
export interface Match {
  /** The numbers of the words where it begins. */
  readonly places: readonly number[];
  /** How many words it has. */
  readonly words: number;
}

/** How fast further occurrences of a word stop to matter. */
const K1 = 1.2;
/** How much long documents are held back, from 0 to 1. */
const B = 0.75;

/** The statistics of one leaf's share of the documents. */
export function countMatches(index: InvertedIndex, query: Query): Statistics {
  return {
    documents: index.documents.length,
    words: index.words,
    matching: query.map((clause) => index.match(clause).size),
  };
}

/** The statistics of all documents, from those of the leaves; at least one. */
export function sumStatistics(parts: readonly Statistics[]): Statistics {
  return parts.reduce((sum, part) => ({
    documents: sum.documents + part.documents,
    words: sum.words + part.words,
    matching: sum.matching.map((count, i) => count + part.matching[i]!),
  }));
}

/**
 * The documents of a leaf that answer a query, the best first.
 *
 * @param statistics Of all leaves.
 */
export function rank(index: InvertedIndex, query: Query, statistics: Statistics): Ranked[] {
  const found = query.map((clause) => index.match(clause));
  const ranked: Ranked[] = [];
  for (const document of candidates(query, found)) {
    const matches = query.map(({ terms, occurs }, i) => ({
      places: occurs === "not" ? [] : found[i]!.get(document) ?? [],
      words: terms.length,
    }));
    const { words } = index.documents[document]!;
    const score = matches.reduce(
      (sum, { places }, i) =>
        sum + weigh(places.length, words, statistics.matching[i]!, statistics),
      0,
    );
    ranked.push({ document, score, matches });
  }
  const nameOf = ({ document }: Ranked) => index.documents[document]!.file;
  return ranked.sort((a, b) => compareHits(a.score, nameOf(a), b.score, nameOf(b)));
}

/** Puts the higher score first, and orders equal ones by their files' names, so that the order is the same every time. */
export function compareHits(score: number, file: string, other: number, otherFile: string): number {
  return other - score || (file < otherFile ? -1 : file > otherFile ? 1 : 0);
}

/** The documents that have all that must occur, nothing that must not, and at least something. */
function candidates(query: Query, found: readonly Places[]): Set<number> {
  const having = (occurs: string) => found.filter((_, i) => query[i]!.occurs === occurs);
  const must = having("must");
  const some = must.length > 0 ? must.slice(0, 1) : having("may");
  const documents = new Set(some.flatMap((matches) => [...matches.keys()]));
  for (const document of documents) {
    const fails = must.some((matches) => !matches.has(document)) ||
      having("not").some((matches) => matches.has(document));
    if (fails) documents.delete(document);
  }
  return documents;
}

/** What a word or phrase adds to a document's score. */
function weigh(
  occurrences: number,
  words: number,
  matching: number,
  { documents, words: all }: Statistics,
): number {
  if (occurrences === 0) return 0;
  // never negative, also for a word that most documents have
  const rarity = Math.log(1 + (documents - matching + 0.5) / (matching + 0.5));
  const length = words / (all / documents);
  return rarity * occurrences * (K1 + 1) / (occurrences + K1 * (1 - B + B * length));
}
