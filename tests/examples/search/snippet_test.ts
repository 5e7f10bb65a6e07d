import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { InvertedIndex } from "../../../examples/search/inverted_index.ts";
import { parseQuery } from "../../../examples/search/query.ts";
import { makeSnippet } from "../../../examples/search/snippet.ts";

function snippet(text: string, query: string): string {
  const index = new InvertedIndex();
  index.add("file", text);
  const matches = parseQuery(query).map((clause) => ({
    places: index.match(clause).get(0) ?? [],
    words: clause.terms.length,
  }));
  return makeSnippet(index.documents[0]!, matches);
}

const words = (count: number, word = "x") => Array(count).fill(word).join(" ");

Deno.test("makeSnippet() gives the whole of a short text, in one line", () => {
  assertEquals(snippet("A lamport\n\n   clock.", "LAMPORT"), "A «lamport» clock.");
  assertEquals(snippet("(lamport)", "lamport"), "(«lamport»)");
});

Deno.test("makeSnippet() marks phrases as one, and unites what overlaps", () => {
  assertEquals(snippet("a new york b", '"new york"'), "a «new york» b");
  assertEquals(snippet("a new york b", '"new york" york'), "a «new york» b");
  assertEquals(snippet("a b c d", '"a b" "b c"'), "«a b c» d");
  assertEquals(snippet("new york", "new york"), "«new» «york»");
});

Deno.test("makeSnippet() cuts out 30 words around a match, and says so", () => {
  const found = snippet(`${words(100)} here ${words(100)}`, "here");
  assertEquals(found, `…${words(14)} «here» ${words(15)}…`);
});

Deno.test("makeSnippet() uses its whole length when a match is near an end", () => {
  assertEquals(snippet(`here ${words(100)}`, "here"), `«here» ${words(29)}…`);
  assertEquals(snippet(`${words(100)} here.`, "here"), `…${words(29)} «here».`);
});

Deno.test("makeSnippet() prefers different matches to many equal ones", () => {
  const text = `${words(5, "cat")} ${words(60)} cat dog ${words(60)}`;
  assertStringIncludes(snippet(text, "cat dog"), "«cat» «dog»");
});

Deno.test("makeSnippet() leaves out long gaps", () => {
  const found = snippet(`one ${"-".repeat(500)} two ${"A".repeat(5000)} three`, "two");
  assertEquals(found, "one … «two» … three");
});

Deno.test("makeSnippet() stays short and quick when a word stands everywhere", () => {
  const found = snippet(words(150_000, "cat"), "cat");
  assertLess(found.length, 300);
});
