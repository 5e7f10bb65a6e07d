/**
 * A share of the corpus, ready to be searched: for every term, the documents and places where it stands.
 *
 * @module
 */

import type { Clause } from "./query.ts";
import { tokenize } from "./tokenize.ts";

/** One document of the index. */
export interface IndexedDocument {
  readonly file: string;
  readonly text: string;
  /** Where each word begins and ends in the text: start, end, start, end, …. */
  readonly spans: Uint32Array;
  /** The number of words. */
  readonly words: number;
}

/** Documents by number, and in each the numbers of the words where something begins, in their order. */
export type Places = ReadonlyMap<number, readonly number[]>;

const NOWHERE: Places = new Map();

/** An inverted index with positions, so that phrases are found without reading the text again. */
export class InvertedIndex {
  readonly documents: IndexedDocument[] = [];
  /** The number of words of all documents. */
  words = 0;
  #postings = new Map<string, Map<number, number[]>>();
  /** All terms in order, for prefixes; made when the first prefix is asked for. */
  #sorted: string[] | undefined;

  /** Adds a document. */
  add(file: string, text: string): void {
    const document = this.documents.length;
    const spans: number[] = [];
    let word = 0;
    for (const { term, start, end } of tokenize(text)) {
      spans.push(start, end);
      let documents = this.#postings.get(term);
      if (!documents) this.#postings.set(term, documents = new Map());
      const places = documents.get(document);
      if (places) places.push(word);
      else documents.set(document, [word]);
      word++;
    }
    this.documents.push({ file, text, spans: Uint32Array.from(spans), words: word });
    this.words += word;
    this.#sorted = undefined;
  }

  /** Where the matches of a clause begin. */
  match({ terms, prefix }: Clause): Places {
    const last = terms.length - 1;
    const [first, ...rest] = terms.map((term, i) =>
      prefix && i === last ? this.#beginningWith(term) : this.#postings.get(term) ?? NOWHERE
    );
    return rest.length === 0 ? first! : follow(first!, rest);
  }

  /** The places of all terms with this beginning, as if they were one term. */
  #beginningWith(beginning: string): Places {
    const sorted = this.#sorted ??= [...this.#postings.keys()].sort();
    const union = new Map<number, number[]>();
    for (let i = lowerBound(sorted, beginning); sorted[i]?.startsWith(beginning); i++) {
      for (const [document, places] of this.#postings.get(sorted[i]!)!) {
        const all = union.get(document);
        if (!all) union.set(document, [...places]);
        else for (const place of places) all.push(place);
      }
    }
    for (const places of union.values()) places.sort((a, b) => a - b);
    return union;
  }
}

/** The places of `first` that the others follow, one word each. */
function follow(first: Places, others: readonly Places[]): Places {
  const found = new Map<number, number[]>();
  for (const [document, places] of first) {
    const after = others.map((other) => new Set(other.get(document)));
    const whole = places.filter((at) => after.every((places, i) => places.has(at + i + 1)));
    if (whole.length > 0) found.set(document, whole);
  }
  return found;
}

/** The index of the first string that is not less than `value`. */
function lowerBound(sorted: readonly string[], value: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
