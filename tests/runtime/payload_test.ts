import { assert, assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MpError } from "../../runtime/errors.ts";
import { encodeJson, Payload } from "../../runtime/payload.ts";

function refusal(value: unknown): string {
  const error = assertThrows(() => encodeJson(value), MpError);
  assertEquals(error.code, "not_json");
  return error.message;
}

Deno.test("encodeJson() writes what JSON.stringify() writes, for everything that is JSON", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }), (value) => {
    assertEquals(encodeJson(value), JSON.stringify(value));
  }));
});

Deno.test("encodeJson() never writes a line break or a tab, which end messages on the wire", () => {
  fc.assert(fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
    assert(!/[\n\t]/.test(encodeJson(value)));
  }));
  assertEquals(encodeJson("\n\t\u2028\ud800"), '"\\n\\t\u2028\\ud800"');
});

Deno.test("encodeJson() refuses whatever JSON would change, unless it is equal when it is read again", () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
  });
  fc.assert(
    fc.property(anything, (value) => {
      let text: string;
      try {
        text = encodeJson(value);
      } catch (error) {
        assert(error instanceof MpError && error.code === "not_json");
        return;
      }
      assertEquals(typeof text, "string");
      if (text === "") return assertEquals(value, undefined);
      // reading and writing again changes nothing: no NaN has become null
      assertEquals(encodeJson(JSON.parse(text)), text);
    }),
    { numRuns: 500 },
  );
});

Deno.test("encodeJson() gives empty text for undefined, and leaves undefined members out", () => {
  assertEquals(encodeJson(undefined), "");
  assertEquals(encodeJson({ a: undefined, b: 1 }), '{"b":1}');
});

Deno.test("encodeJson() names the place of what is not JSON", () => {
  const cyclic: Record<string, unknown> = { list: [1, { a: 1 }] };
  (cyclic.list as Record<string, unknown>[])[1]!.back = cyclic;
  const self: unknown[] = [];
  self.push(self);
  const cases: [unknown, string][] = [
    [NaN, "the value (NaN)"],
    [Infinity, "the value (Infinity)"],
    [{ user: { score: NaN } }, ".user.score (NaN)"],
    [[1, [2, -Infinity]], "[1][1] (-Infinity)"],
    [() => 1, "the value (function)"],
    [{ list: [{ f() {} }] }, ".list[0].f (function)"],
    [{ b: 1n }, ".b (bigint)"],
    [[Symbol("s")], "[0] (symbol)"],
    [[1, undefined], "[1] (undefined)"],
    // deno-lint-ignore no-sparse-arrays
    [[1, , 3], "[1] (undefined)"],
    [{ seen: new Map() }, ".seen (a Map)"],
    [{ seen: new Set([1]) }, ".seen (a Set)"],
    [{ parts: [Promise.resolve(1)] }, ".parts[0] (a Promise)"],
    [{ why: new TypeError("no") }, ".why (an Error)"],
    [{ bytes: new Uint8Array(2) }, ".bytes (a Uint8Array)"],
    [{ bytes: new ArrayBuffer(2) }, ".bytes (an ArrayBuffer)"],
    [/x/, "the value (a RegExp)"],
    [new Response(), "the value (a Response)"],
    [[1].values(), "the value (an Array Iterator)"],
    [{ n: Object(NaN) }, ".n (NaN)"],
    [{ n: Object(1n) }, ".n (a BigInt)"],
    [{ at: new Date(NaN) }, ".at (an invalid Date)"],
    [{ x: { toJSON: () => ({ y: NaN }) } }, ".x.y (NaN)"],
    [{ x: { toJSON: () => undefined } }, ".x (undefined)"],
    [{ toJSON: () => () => 1 }, "the value (function)"],
    [cyclic, ".list[1].back (a part of itself)"],
    [self, "[0] (a part of itself)"],
  ];
  for (const [value, place] of cases) assertEquals(refusal(value), `${place} is not JSON`);
});

Deno.test("encodeJson() takes objects that hold their content in members", () => {
  class Point {
    constructor(readonly x: number, readonly y: number) {}
    length(): number {
      return Math.hypot(this.x, this.y);
    }
  }
  function Old(this: { x: number }): void {
    this.x = 1;
  }
  Old.prototype.method = () => {};
  const shared = { a: 1 };
  const cases: [unknown, string][] = [
    [new Point(3, 4), '{"x":3,"y":4}'],
    // deno-lint-ignore no-explicit-any -- a class of before 2015, whose methods can be enumerated
    [new (Old as any)(), '{"x":1}'],
    [Object.assign(Object.create(null), { a: [true, null] }), '{"a":[true,null]}'],
    [[shared, shared], '[{"a":1},{"a":1}]'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [new URL("http://a/b"), '"http://a/b"'],
    [{ toJSON: () => [1] }, "[1]"],
    [{ toJSON: (key: string) => key }, '""'],
    [[{ toJSON: (key: string) => key }], '["0"]'],
    [Object("text"), '"text"'],
    [Object(7), "7"],
    [JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
  ];
  for (const [value, text] of cases) assertEquals(encodeJson(value), text);
});

Deno.test("encodeJson() refuses what is nested too deeply, with or without a cycle far down", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 200_000; i++) deep = [deep];
  assertEquals(refusal(deep), "the value (nested too deeply) is not JSON");
  const bottom: Record<string, unknown> = {};
  let top: Record<string, unknown> = bottom;
  for (let i = 0; i < 20_000; i++) top = { a: top };
  bottom.end = bottom;
  const message = refusal(top);
  assert(message.endsWith(".a.end (a part of itself) is not JSON"), message.slice(-100));
});

Deno.test("encodeJson() says what a getter or toJSON() threw", () => {
  const getter = {
    get a() {
      throw new Error("no\nmore");
    },
  };
  assertEquals(refusal(getter), "the value (no) is not JSON");
  const toJSON = {
    toJSON() {
      throw "text";
    },
  };
  assertEquals(refusal({ a: toJSON }), "the value (text) is not JSON");
});

Deno.test("Payload.encode() takes a value as it is now", () => {
  const value = { list: [1] };
  const payload = Payload.encode(value);
  value.list.push(2);
  assertEquals(payload.text, '{"list":[1]}');
  assertEquals(payload.value, { list: [1] });
  assertNotStrictEquals(payload.value, value);
  assertThrows(() => Payload.encode({ a: NaN }), MpError, ".a (NaN)");
});

Deno.test("Payload.of() encodes when its text is asked for, once", () => {
  let encoded = 0;
  const payload = Payload.of({ a: { toJSON: () => ++encoded } });
  assertEquals(encoded, 0);
  const text = payload.text;
  const times = encoded;
  assertEquals(payload.text, text);
  assertEquals(encoded, times);
  assertThrows(() => Payload.of(NaN).text, MpError, "NaN");
});

Deno.test("Payload.ofText() decodes when its value is asked for, once", () => {
  const payload = Payload.ofText('{"a":[1,2]}');
  assertEquals(payload.text, '{"a":[1,2]}');
  const { value } = payload;
  assertEquals(value, { a: [1, 2] });
  assert(payload.value === value);
  assertThrows(() => Payload.ofText("{").value, SyntaxError);
  assertEquals(Payload.ofText("{").text, "{");
});

Deno.test("Payload tells undefined from null", () => {
  for (const payload of [Payload.of(undefined), Payload.ofText(""), Payload.encode(undefined)]) {
    assertEquals([payload.text, payload.value], ["", undefined]);
  }
  for (const payload of [Payload.of(null), Payload.ofText("null"), Payload.encode(null)]) {
    assertEquals([payload.text, payload.value], ["null", null]);
  }
});
