/**
 * From text to the terms that are looked up.
 *
 * @module
 */

/** One word of a text. */
export interface Token {
  /** The word, folded: case, accents and ligatures make no difference. */
  readonly term: string;
  /** Where the word begins and ends in the text. */
  readonly start: number;
  readonly end: number;
}

/**
 * A run of letters, digits and the marks on them; one character each in scripts that put no space
 * between words, where a word of several characters is then found as a phrase.
 */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[[\p{L}\p{N}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]][[\p{L}\p{N}\p{M}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]]*/gv;

/** Encoded data and the like make longer ones, which nobody looks for. */
const LONGEST = 100;

/** The words of a text, in their order. */
export function* tokenize(text: string): Generator<Token> {
  for (const { 0: word, index } of text.matchAll(WORD)) {
    if (word.length > LONGEST) continue;
    yield { term: fold(word), start: index, end: index + word.length };
  }
}

// deno-lint-ignore no-control-regex -- the whole of ASCII is meant
const ASCII = /^[\x00-\x7f]*$/;

/**
 * Folds a word: `Éva`, `EVA` and `eva` are one term, and so are `Straße` and `STRASSE`.
 *
 * Compatibility decomposition takes characters apart (Unicode Standard Annex 15), marks are dropped, and
 * upper case before lower case unites what has no one-to-one lower case.
 */
export function fold(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  return word.normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase().toLowerCase();
}
