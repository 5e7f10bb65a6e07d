import { assert, assertEquals, assertGreater } from "@std/assert";
import { InvertedIndex } from "../../../examples/search/inverted_index.ts";
import { parseQuery } from "../../../examples/search/query.ts";
import { type Answer, answerRound, mergeAnswers } from "../../../examples/search/rounds.ts";
import { isOwn } from "../../../examples/search/share.ts";

/** Texts of a few words, so that documents have much in common. The generator is a fixed one (mulberry32). */
function makeTexts(count: number): Map<string, string> {
  let state = 1;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  // low numbers are frequent, high ones rare
  const word = () => `w${Math.floor(random() * random() * 30)}`;
  return new Map(Array.from({ length: count }, (_, i) => [
    `${i}.txt`,
    Array.from({ length: 5 + Math.floor(random() * 40) }, word).join(" "),
  ]));
}

/** A search over so many leaves, by the functions that the topology is made of. */
function search(texts: Map<string, string>, leaves: number, text: string, limit = 10): Answer {
  const indexes = Array.from({ length: leaves }, (_, index) => {
    const share = new InvertedIndex();
    for (const [file, text] of texts) {
      if (isOwn(file, { index, count: leaves })) share.add(file, text);
    }
    return share;
  });
  const first = { query: parseQuery(text), limit };
  const { statistics } = mergeAnswers(indexes.map((index) => answerRound(index, first)), first);
  const second = { ...first, statistics };
  return mergeAnswers(indexes.map((index) => answerRound(index, second)), second);
}

Deno.test("a search gives the same answer whatever the number of leaves", () => {
  const texts = makeTexts(200);
  for (const text of ["w1 w20", '"w0 w1" w5', "w2* -w3", "+w7 w8 w9", "w25", "nowhere"]) {
    const expected = search(texts, 1, text);
    for (const leaves of [2, 3, 10, 300]) {
      assertEquals(search(texts, leaves, text), expected, `${text} on ${leaves} leaves`);
    }
  }
});

Deno.test("a search with leaves' own numbers would give another order", () => {
  // what the first round is for: this test says so when it is no longer needed
  const texts = makeTexts(200);
  const query = parseQuery("w1 w20");
  const right = search(texts, 10, "w1 w20").hits.map(({ file }) => file);
  const indexes = Array.from({ length: 10 }, (_, index) => {
    const share = new InvertedIndex();
    for (const [file, text] of texts) if (isOwn(file, { index, count: 10 })) share.add(file, text);
    return share;
  });
  const answers = indexes.map((index) => {
    const { statistics } = answerRound(index, { query, limit: 10 });
    return answerRound(index, { query, limit: 10, statistics });
  });
  const local = mergeAnswers(answers, { query, limit: 10, statistics: answers[0]!.statistics });
  assert(local.hits.map(({ file }) => file).join() !== right.join());
});

Deno.test("mergeAnswers() keeps the best and counts all", () => {
  const texts = makeTexts(200);
  const all = search(texts, 4, "w0", 100);
  const best = search(texts, 4, "w0", 3);
  assertGreater(all.found, 10);
  assertEquals(best.found, all.found);
  assertEquals(best.hits, all.hits.slice(0, 3));
  assertEquals(best.statistics.documents, 200);
});

Deno.test("isOwn() gives each file to exactly one leaf, and every leaf some", () => {
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 1000; i++) {
    const owners = counts.map((_, index) => isOwn(`docs/${i}.md`, { index, count: 4 }));
    assertEquals(owners.filter(Boolean).length, 1);
    counts[owners.indexOf(true)]!++;
  }
  for (const count of counts) assertGreater(count, 150);
});
