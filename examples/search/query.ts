/**
 * From what a person types to what is looked up.
 *
 * @module
 */

import { tokenize } from "./tokenize.ts";

/** One thing to look for. */
export interface Clause {
  /** The terms; they follow each other in the text when there are several. */
  readonly terms: readonly string[];
  /** Whether the last term is the beginning of a word: `repl*`. */
  readonly prefix: boolean;
  /**
   * - `"may"`: a document with it ranks higher;
   * - `"must"`: a document without it is not found (`"in quotes"`, `+word`);
   * - `"not"`: a document with it is not found (`-word`).
   */
  readonly occurs: "may" | "must" | "not";
}

/** A query; JSON, for it travels to the leaves. */
export type Query = readonly Clause[];

/** One word, or several in quotes, with a sign before and a star after it. */
const PIECE = /(?<sign>[-+]?)(?:"(?<phrase>[^"]*)(?:"|$)|(?<word>[^\s"]+))(?<star>\*?)/g;

const MOST_CLAUSES = 32;

/**
 * Parses a query such as `frozen "address book" repl* -docker`.
 *
 * Words may occur; words in quotes must, one after the other; `+word` must and `-word` must not; `repl*` is
 * any word that begins so. A word that is several terms (`context.replica`, `off-by-one`) is a phrase.
 *
 * @throws {RangeError} When there is nothing to look for, or too much.
 */
export function parseQuery(text: string): Query {
  const query: Clause[] = [];
  for (const { groups = {} } of text.replace(/[“”„]/g, '"').matchAll(PIECE)) {
    const { sign, phrase, word = "", star } = groups;
    const terms = Array.from(tokenize(phrase ?? word), ({ term }) => term);
    if (terms.length === 0) continue;
    const occurs = sign === "-" ? "not" : sign === "+" || phrase !== undefined ? "must" : "may";
    // the star of a bare word is part of the word
    query.push({ terms, prefix: star === "*" || word.endsWith("*"), occurs });
  }
  if (query.every(({ occurs }) => occurs === "not")) {
    throw new RangeError(
      `Cannot search for ${JSON.stringify(text)}: it says no word that must or may occur`,
    );
  }
  if (query.length > MOST_CLAUSES) {
    throw new RangeError(
      `Cannot search for ${query.length} words and phrases at once: ${MOST_CLAUSES} are allowed`,
    );
  }
  return query;
}
