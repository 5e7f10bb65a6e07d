import { assertEquals } from "@std/assert";
import { fold, tokenize } from "../../../examples/search/tokenize.ts";

const terms = (text: string) => Array.from(tokenize(text), ({ term }) => term);

Deno.test("tokenize() finds words and where they stand when there is punctuation", () => {
  const text = "“Two-phase”, v2!";
  const tokens = [...tokenize(text)];
  assertEquals(tokens.map(({ term }) => term), ["two", "phase", "v2"]);
  assertEquals(tokens.map(({ start, end }) => text.slice(start, end)), ["Two", "phase", "v2"]);
});

Deno.test("tokenize() finds nothing when there are no letters or digits", () => {
  for (const text of ["", " \n\t", "--- *** …", "🙂"]) assertEquals(terms(text), []);
});

Deno.test("tokenize() keeps marks with their letters when accents are written apart", () => {
  const text = "cafe\u0301 creme\u0300";
  assertEquals([...tokenize(text)].map(({ term, start, end }) => [term, start, end]), [
    ["cafe", 0, 5],
    ["creme", 6, 12],
  ]);
});

Deno.test("tokenize() takes characters one by one when a script has no spaces", () => {
  assertEquals(terms("検索engine"), ["検", "索", "engine"]);
});

Deno.test("tokenize() passes over words that nobody types", () => {
  assertEquals(terms(`a ${"x".repeat(101)} b ${"y".repeat(100)}`), ["a", "b", "y".repeat(100)]);
});

Deno.test("fold() makes one term of what differs by case, accent or ligature", () => {
  const same = [
    ["Éva", "EVA", "eva", "e\u0301va"],
    ["Straße", "STRASSE", "strasse"],
    ["ﬁle", "FILE"],
    ["ΟΔΟΣ", "οδος", "οδοσ"],
    ["İstanbul", "ISTANBUL", "istanbul"],
    ["Erdős", "erdos"],
    ["ПОИСК", "поиск"],
    ["２０２４", "2024"],
  ];
  for (const [first, ...others] of same) {
    for (const other of others) assertEquals(fold(other), fold(first!), `${first} ${other}`);
  }
});
