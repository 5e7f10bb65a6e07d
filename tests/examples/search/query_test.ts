import { assertEquals, assertThrows } from "@std/assert";
import { parseQuery } from "../../../examples/search/query.ts";

Deno.test("parseQuery() makes a clause of every word", () => {
  assertEquals(parseQuery("Address  BOOK"), [
    { terms: ["address"], prefix: false, occurs: "may" },
    { terms: ["book"], prefix: false, occurs: "may" },
  ]);
});

Deno.test("parseQuery() understands quotes, signs and stars", () => {
  assertEquals(parseQuery('"address book" +frozen -docker repl* "tail lat"*'), [
    { terms: ["address", "book"], prefix: false, occurs: "must" },
    { terms: ["frozen"], prefix: false, occurs: "must" },
    { terms: ["docker"], prefix: false, occurs: "not" },
    { terms: ["repl"], prefix: true, occurs: "may" },
    { terms: ["tail", "lat"], prefix: true, occurs: "must" },
  ]);
});

Deno.test("parseQuery() makes a phrase of a word that is several terms", () => {
  assertEquals(parseQuery("context.replica -off-by-one"), [
    { terms: ["context", "replica"], prefix: false, occurs: "may" },
    { terms: ["off", "by", "one"], prefix: false, occurs: "not" },
  ]);
});

Deno.test("parseQuery() takes typographic quotes, and a quote that is never closed", () => {
  const clause = { terms: ["address", "book"], prefix: false, occurs: "must" } as const;
  assertEquals(parseQuery("“address book”"), [clause]);
  assertEquals(parseQuery('"address book'), [clause]);
});

Deno.test("parseQuery() passes over what has no letters", () => {
  assertEquals(parseQuery('- * "" "--" word'), [
    { terms: ["word"], prefix: false, occurs: "may" },
  ]);
});

Deno.test("parseQuery() throws when there is nothing to look for", () => {
  for (const text of ["", "  ", "!?", '""', "-only -excluded"]) {
    assertThrows(() => parseQuery(text), RangeError, "it says no word that must or may occur");
  }
});

Deno.test("parseQuery() throws when there is too much to look for", () => {
  assertEquals(parseQuery("word ".repeat(32)).length, 32);
  assertThrows(() => parseQuery("word ".repeat(33)), RangeError, "33 words and phrases");
});
