import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type Decoded,
  type DecodedCall,
  decodeText,
  isDeeper,
  type RefusedCall,
} from "../../../runtime/rpc/decode.ts";
import { DEFAULT_LIMITS } from "../../../runtime/rpc/limits.ts";

function one(text: string): DecodedCall | RefusedCall {
  const decoded = decodeText(text);
  assert(!Array.isArray(decoded), "a batch");
  return decoded as DecodedCall | RefusedCall;
}

function refusal(decoded: Decoded): [unknown, string | undefined] {
  const { id, error } = decoded as RefusedCall;
  return [id, error?.code];
}

function call(member: string): string {
  return `{"jsonrpc":"2.0","method":"echo","id":1,${member}}`;
}

Deno.test("decodeText() gives the handler the one positional parameter", () => {
  assertEquals(one(call('"params":[{"a":1}]')), { id: 1, method: "echo", request: { a: 1 } });
  assertEquals(one(call('"params":[null]')), { id: 1, method: "echo", request: null });
  assertEquals(one(call('"params":[[1,2]]')), { id: 1, method: "echo", request: [1, 2] });
});

Deno.test("decodeText() gives the handler the array of several parameters", () => {
  assertEquals(one(call('"params":[1,2]')), { id: 1, method: "echo", request: [1, 2] });
});

Deno.test("decodeText() gives the handler the object of named parameters", () => {
  assertEquals(one(call('"params":{"a":[1]}')), { id: 1, method: "echo", request: { a: [1] } });
  assertEquals(one(call('"params":{}')), { id: 1, method: "echo", request: {} });
});

Deno.test("decodeText() gives the handler undefined without parameters", () => {
  for (const member of ['"params":[]', '"other":1']) {
    assertEquals(one(call(member)), { id: 1, method: "echo", request: undefined });
  }
});

Deno.test("decodeText() keeps ids of every legal kind, and tells a notification from a null id", () => {
  const ids: [string, unknown][] = [
    ['"a"', "a"],
    ['""', ""],
    ["0", 0],
    ["-7", -7],
    ["1.5", 1.5],
    ["1e3", 1000],
    ["null", null],
  ];
  for (const [text, id] of ids) {
    assertStrictEquals(one(`{"jsonrpc":"2.0","method":"echo","id":${text}}`).id, id);
  }
  assertStrictEquals(one('{"jsonrpc":"2.0","method":"echo"}').id, undefined);
});

Deno.test("decodeText() refuses what is no call, with its id where that can be told", () => {
  const cases: [string, unknown, string][] = [
    ["", null, "parse_error"],
    ["{", null, "parse_error"],
    ["{}}", null, "parse_error"],
    ["1", null, "invalid_request"],
    ["null", null, "invalid_request"],
    ['"x"', null, "invalid_request"],
    ["[]", null, "invalid_request"],
    ["{}", null, "invalid_request"],
    ['{"method":"echo","id":3}', 3, "invalid_request"],
    ['{"jsonrpc":"1.0","method":"echo","id":3}', 3, "invalid_request"],
    ['{"jsonrpc":2,"method":"echo","id":3}', 3, "invalid_request"],
    ['{"jsonrpc":"2.0","id":"x"}', "x", "invalid_request"],
    ['{"jsonrpc":"2.0","method":1,"id":"x"}', "x", "invalid_request"],
    ['{"jsonrpc":"2.0","method":"echo","params":1,"id":"x"}', "x", "invalid_request"],
    ['{"jsonrpc":"2.0","method":"echo","params":null,"id":"x"}', "x", "invalid_request"],
    ['{"jsonrpc":"2.0","method":"echo","id":{}}', null, "invalid_request"],
    ['{"jsonrpc":"2.0","method":"echo","id":[1]}', null, "invalid_request"],
    ['{"jsonrpc":"2.0","method":"echo","id":true}', null, "invalid_request"],
  ];
  for (const [text, id, code] of cases) assertEquals(refusal(decodeText(text)), [id, code], text);
});

Deno.test("decodeText() decodes each call of a batch for itself", () => {
  const batch = decodeText('[{"jsonrpc":"2.0","method":"echo","id":1},1,[],{"jsonrpc":"2.0"}]');
  assert(Array.isArray(batch));
  assertEquals(batch[0], { id: 1, method: "echo", request: undefined });
  assertEquals(batch.slice(1).map(refusal), [
    [null, "invalid_request"],
    [null, "invalid_request"],
    [null, "invalid_request"],
  ]);
});

Deno.test("decodeText() refuses a batch that is too long", () => {
  const limits = { ...DEFAULT_LIMITS, maxBatch: 2 };
  assertEquals((decodeText("[1,2]", limits) as []).length, 2);
  assertEquals(refusal(decodeText("[1,2,3]", limits)), [null, "request_too_large"]);
});

Deno.test("decodeText() takes __proto__ for data", () => {
  const decoded = one('{"jsonrpc":"2.0","method":"echo","params":[{"__proto__":{"admin":true}}]}');
  const { request } = decoded as DecodedCall;
  assert(Object.hasOwn(request as object, "__proto__"));
  assertEquals((request as { admin?: boolean }).admin, undefined);
  assertEquals(({} as { admin?: boolean }).admin, undefined);
  // nor does it stand in for members that are not there
  assertEquals(
    refusal(one('{"__proto__":{"jsonrpc":"2.0","method":"echo","id":1}}')),
    [null, "invalid_request"],
  );
});

Deno.test("decodeText() refuses what is nested too deeply, and nothing else", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const { maxDepth } = DEFAULT_LIMITS;
  assertEquals(refusal(decodeText(nested(maxDepth + 1))), [null, "request_too_large"]);
  assert(Array.isArray(decodeText(nested(maxDepth))));
  assertEquals(refusal(decodeText(nested(1_000_000))), [null, "request_too_large"]);
  assertEquals(refusal(decodeText('{"a":'.repeat(1_000_000))), [null, "request_too_large"]);
});

Deno.test("isDeeper() does not count brackets in strings", () => {
  const brackets = "[{".repeat(20);
  const strings = [brackets, `\\"${brackets}`, `\\\\\\"${brackets}`, `${brackets}\\\\`, "\\u005b"];
  for (const text of strings) {
    assertEquals(isDeeper(`["${text}",[["${text}"]]]`, 3), false, text);
    assertEquals(isDeeper(`["${text}",[[["${text}"]]]]`, 3), true, text);
  }
  assertEquals(isDeeper(`[["a\\\\",[[[${" ".repeat(50)}]]]]]`, 4), true);
  assertEquals(isDeeper(`"${brackets}`, 3), false);
});

Deno.test("isDeeper() counts what is open, not what has been", () => {
  assertEquals(isDeeper(`[${"[],{},".repeat(100)}[]]`, 2), false);
  assertEquals(isDeeper(`[${"[],{},".repeat(100)}[[]]]`, 2), true);
});

Deno.test("isDeeper() takes linear time for text made of quotes and backslashes", () => {
  for (const text of ['\\"', '"', "\\", '"\\\\', '"\\"']) {
    const started = performance.now();
    isDeeper("[" + text.repeat(2_000_000), 3);
    // quadratic time would be hours
    assert(performance.now() - started < 5000, text);
  }
});
