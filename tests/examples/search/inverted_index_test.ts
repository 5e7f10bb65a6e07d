import { assertEquals } from "@std/assert";
import { InvertedIndex } from "../../../examples/search/inverted_index.ts";
import { parseQuery } from "../../../examples/search/query.ts";

function makeIndex(...texts: string[]): InvertedIndex {
  const index = new InvertedIndex();
  texts.forEach((text, i) => index.add(`${i}.txt`, text));
  return index;
}

/** Where the first clause of a query matches: document → numbers of the first words. */
function places(index: InvertedIndex, query: string): Record<number, readonly number[]> {
  return Object.fromEntries(index.match(parseQuery(query)[0]!));
}

Deno.test("InvertedIndex.match() finds all places of a word", () => {
  const index = makeIndex("one two one", "three", "One!");
  assertEquals(places(index, "one"), { 0: [0, 2], 2: [0] });
  assertEquals(places(index, "four"), {});
});

Deno.test("InvertedIndex.match() finds a phrase only where its words follow each other", () => {
  const index = makeIndex("new york, new new york", "york new", "new. York");
  assertEquals(places(index, '"new york"'), { 0: [0, 3], 2: [0] });
  assertEquals(places(index, '"york new york"'), {});
});

Deno.test("InvertedIndex.match() finds a phrase that repeats a word", () => {
  assertEquals(places(makeIndex("a a a", "a b a"), '"a a"'), { 0: [0, 1] });
});

Deno.test("InvertedIndex.match() finds all words with a beginning, in their order", () => {
  const index = makeIndex("replicas replica repl reply", "rep", "replay replicas");
  assertEquals(places(index, "repl*"), { 0: [0, 1, 2, 3], 2: [0, 1] });
  assertEquals(places(index, "replz*"), {});
  assertEquals(places(index, '"replay repl"*'), { 2: [0] });
});

Deno.test("InvertedIndex.match() knows new words after a prefix was asked for", () => {
  const index = makeIndex("replica");
  assertEquals(places(index, "repl*"), { 0: [0] });
  index.add("new", "replay");
  assertEquals(places(index, "repl*"), { 0: [0], 1: [0] });
});

Deno.test("InvertedIndex.match() takes words of objects' own names for words", () => {
  const index = makeIndex("constructor __proto__ toString");
  assertEquals(places(index, "constructor"), { 0: [0] });
  assertEquals(places(index, "valueOf"), {});
});

Deno.test("InvertedIndex.add() counts words", () => {
  const index = makeIndex("one two", "", "three");
  assertEquals(index.words, 3);
  assertEquals(index.documents.map(({ words }) => words), [2, 0, 1]);
});
