import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatJson } from "../../../runtime/cli/format_json.ts";

Deno.test("formatJson() keeps on one line what fits", () => {
  assertEquals(formatJson([1, 2, { a: "b" }], 80), '[1, 2, { "a": "b" }]');
  assertEquals(formatJson({}, 80), "{}");
  assertEquals(formatJson(null, 80), "null");
});

Deno.test("formatJson() breaks only what does not fit", () => {
  const value = { counts: [1, 2, 3], names: ["a long name", "another long name"] };
  assertEquals(
    formatJson(value, 40),
    `{
  "counts": [1, 2, 3],
  "names": [
    "a long name",
    "another long name"
  ]
}`,
  );
});

Deno.test("formatJson() is JSON of the same value at every width", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 100 }), (value, width) => {
    assertEquals(JSON.parse(formatJson(value, width)), JSON.parse(JSON.stringify(value)));
  }));
});
