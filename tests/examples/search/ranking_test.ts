import { assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { InvertedIndex } from "../../../examples/search/inverted_index.ts";
import { parseQuery } from "../../../examples/search/query.ts";
import { countMatches, rank, sumStatistics } from "../../../examples/search/ranking.ts";

function makeIndex(texts: Record<string, string>): InvertedIndex {
  const index = new InvertedIndex();
  for (const [file, text] of Object.entries(texts)) index.add(file, text);
  return index;
}

/** Files with scores, the best first. */
function search(texts: Record<string, string>, text: string): [string, number][] {
  const index = makeIndex(texts);
  const query = parseQuery(text);
  return rank(index, query, countMatches(index, query))
    .map(({ document, score }) => [index.documents[document]!.file, score]);
}

const files = (texts: Record<string, string>, text: string) =>
  search(texts, text).map(([file]) => file);

Deno.test("rank() gives the scores of BM25", () => {
  const texts = { a: "cat cat dog", b: "dog bird", c: "bird bird bird fish" };
  const idf = Math.log(1 + (3 - 1 + 0.5) / (1 + 0.5));
  const score = idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 3));
  const [[file, found]] = search(texts, "cat") as [[string, number]];
  assertEquals(file, "a");
  assertAlmostEquals(found, score, 1e-12);
});

Deno.test("rank() puts the rarer word first", () => {
  const texts = { a: "rare x", b: "often x", c: "often y", d: "often z" };
  assertEquals(files(texts, "often rare")[0], "a");
});

Deno.test("rank() puts more occurrences and shorter documents first", () => {
  assertEquals(files({ a: "w x y", b: "w w y", c: "x y z" }, "w"), ["b", "a"]);
  assertEquals(files({ a: "w x y z x y z", b: "w x", c: "z" }, "w"), ["b", "a"]);
});

Deno.test("rank() never gives a negative score when most documents have a word", () => {
  for (const [, score] of search({ a: "w", b: "w", c: "w" }, "w")) assertGreater(score, 0);
});

Deno.test("rank() leaves out documents without what must occur, and those with what must not", () => {
  const texts = { a: "new york pizza", b: "york new", c: "new york bagel", d: "pizza" };
  assertEquals(files(texts, '"new york" pizza'), ["a", "c"]);
  assertEquals(files(texts, "+pizza +york"), ["a"]);
  assertEquals(files(texts, "york -pizza").sort(), ["b", "c"]);
  assertEquals(files(texts, "+york +nowhere"), []);
});

Deno.test("rank() orders by name when scores are equal", () => {
  assertEquals(files({ c: "w", a: "w", b: "w" }, "w"), ["a", "b", "c"]);
});

Deno.test("rank() finds nothing when there are no documents", () => {
  assertEquals(search({}, "w"), []);
  assertEquals(search({ empty: "" }, "w"), []);
});

Deno.test("sumStatistics() adds up what leaves counted", () => {
  assertEquals(
    sumStatistics([
      { documents: 1, words: 10, matching: [1, 0] },
      { documents: 2, words: 20, matching: [2, 1] },
    ]),
    { documents: 3, words: 30, matching: [3, 1] },
  );
});
