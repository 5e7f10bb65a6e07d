import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { type Decoded, decodeText } from "../../../runtime/rpc/decode.ts";
import { DEFAULT_LIMITS } from "../../../runtime/rpc/limits.ts";
import { serve, type Served } from "./served.ts";

// the message of a failure has the seed
const seed = Number(Deno.env.get("FUZZ_SEED") ?? Date.now() % 2 ** 31);
const runs = Number(Deno.env.get("FUZZ_RUNS") ?? 500);

/** Values of all kinds, `__proto__` among their keys. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString")),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
})).value;

/** What is almost a call: each member is right, or anything, or not there. */
const call = fc.record({
  jsonrpc: fc.oneof({ weight: 5, arbitrary: fc.constant("2.0") }, json),
  id: fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), json),
  method: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("echo", "later", "fails", "late", "notJson") },
    { weight: 1, arbitrary: fc.constantFrom("rpc.discover", "__proto__", "constructor", "") },
    json,
  ),
  params: json,
}, { requiredKeys: [] });

/** Text that is JSON, or was until something happened to it. */
const text = fc.oneof(
  call.map((value) => JSON.stringify(value)),
  fc.array(fc.oneof(call, json), { maxLength: 5 }).map((value) => JSON.stringify(value)),
  json.map((value) => JSON.stringify(value)),
  fc.string({ unit: "binary" }),
  fc.tuple(call.map((value) => JSON.stringify(value)), fc.nat(), fc.string()).map(
    ([text, at, junk]) => text.slice(0, at % text.length) + junk + text.slice(at % text.length),
  ),
  fc.tuple(fc.constantFrom("[", '{"a":', '[{"params":', '"\\'), fc.nat(10_000)).map(
    ([unit, times]) => unit.repeat(times),
  ),
);

/** Checks that a reply is what JSON-RPC 2.0 allows. */
function assertReply(reply: unknown): void {
  assert(typeof reply === "object" && reply !== null && !Array.isArray(reply));
  const { jsonrpc, id, error, ...rest } = reply as Record<string, unknown>;
  assertEquals(jsonrpc, "2.0");
  assert(id === null || typeof id === "string" || typeof id === "number");
  if (error === undefined) return assertEquals(Object.keys(rest), ["result"]);
  assertEquals(Object.keys(rest), []);
  const { code, message, data } = error as Record<string, unknown>;
  assert(Number.isInteger(code));
  assertEquals(typeof message, "string");
  assertEquals(typeof (data as { code: unknown }).code, "string");
}

async function assertAnswered(served: Served, body: Uint8Array<ArrayBuffer>, chunked: boolean) {
  const sent = chunked ? new Blob([body]).stream() : body;
  const response = await served.post(sent);
  const answer = await response.text();
  if (response.status === 204) return assertEquals(answer, "");
  assert([200, 413].includes(response.status), `HTTP ${response.status}`);
  assertEquals(response.headers.get("content-type"), "application/json");
  const reply = JSON.parse(answer);
  if (!Array.isArray(reply)) return assertReply(reply);
  assert(reply.length > 0);
  reply.forEach(assertReply);
}

Deno.test("the endpoint answers whatever comes with JSON-RPC", async () => {
  const encoder = new TextEncoder();
  const bytes = fc.oneof(
    { weight: 5, arbitrary: text.map((text) => encoder.encode(text)) },
    fc.uint8Array({ maxLength: 2000 }),
  );
  await using served = serve({ limits: { maxBody: 50_000, maxBatch: 4 } });
  await fc.assert(
    fc.asyncProperty(
      bytes,
      fc.boolean(),
      (body, chunked) => assertAnswered(served, body as Uint8Array<ArrayBuffer>, chunked),
    ),
    { seed, numRuns: runs },
  );
  // and goes on
  assertEquals(
    await served.call({ jsonrpc: "2.0", id: 1, method: "echo", params: [1] }),
    { jsonrpc: "2.0", id: 1, result: 1 },
  );
});

Deno.test("the endpoint gives back what it was given", async () => {
  await using served = serve();
  const id = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  await fc.assert(
    fc.asyncProperty(id, json, async (id, value) => {
      const sent = JSON.stringify({ jsonrpc: "2.0", id, method: "echo", params: [value] });
      const { id: sentId, params: [result] } = JSON.parse(sent);
      assertEquals(await served.call(sent), { jsonrpc: "2.0", id: sentId, result });
    }),
    { seed, numRuns: runs },
  );
});

Deno.test("decodeText() answers whatever it is given, and never more than was asked", () => {
  fc.assert(
    fc.property(text, (text) => {
      const decoded: Decoded = decodeText(text, { ...DEFAULT_LIMITS, maxBatch: 4 });
      const calls = Array.isArray(decoded) ? decoded : [decoded];
      assert(calls.length <= 5);
      for (const call of calls) {
        if (call.error === undefined) assertEquals(typeof call.method, "string");
        else assert(call.id !== undefined);
      }
    }),
    { seed, numRuns: 5 * runs },
  );
});
