import { assert, assertFalse } from "@std/assert";
import { sameJson } from "../../../runtime/check/same_json.ts";

Deno.test("sameJson() compares as JSON says values", () => {
  for (
    const [a, b] of [
      [{ a: 1, b: [2, { c: null }] }, { b: [2, { c: null }], a: 1 }],
      [{ a: undefined }, {}],
      [[], []],
    ]
  ) assert(sameJson(a, b));
  for (
    const [a, b] of [
      [{ a: 1 }, { a: 1, b: 2 }],
      [{ a: 1, b: 2 }, { a: 1 }],
      [[1, 2], [2, 1]],
      [[], {}],
      [{}, null],
      [1, "1"],
      [null, undefined],
      [{ toString: 1 }, { a: 1 }],
    ]
  ) assertFalse(sameJson(a, b));
});
