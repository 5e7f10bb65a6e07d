/**
 * What the endpoint is fuzzed with, and what it must answer.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

/** `FUZZ_SEED`, or another one each time; whoever fails prints it. */
export const seed = Number(Deno.env.get("FUZZ_SEED") ?? Date.now() % 2 ** 31);

/** How many inputs a family has. */
export function runsOf(usual: number): number {
  const asked = Deno.env.get("FUZZ_RUNS");
  return asked === undefined ? usual : Math.max(1, Math.ceil(Number(asked) * usual / 10_000));
}

/** The limits of the endpoint that is fuzzed: small, so that inputs reach them. */
export const LIMITS = { maxBody: 50_000, maxBatch: 4, maxDepth: 64 };

/** Values of all kinds, `__proto__` among their keys. */
export const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.jsonValue({ maxDepth: 2 }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString")),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
})).value;

/** What is almost a call: each member is right, or anything, or not there. */
export const call: fc.Arbitrary<unknown> = fc.record({
  jsonrpc: fc.oneof({ weight: 5, arbitrary: fc.constant("2.0") }, json),
  id: fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), json),
  method: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("echo", "later", "fails", "late", "notJson") },
    { weight: 1, arbitrary: fc.constantFrom("rpc.discover", "__proto__", "constructor", "") },
    json,
  ),
  params: json,
}, { requiredKeys: [] });

const encoder = new TextEncoder();
const bytesOf = (text: string) => encoder.encode(text);
const encoded = (value: unknown) => bytesOf(JSON.stringify(value));

/** Bodies, by what is wrong with them. */
export const families: Readonly<Record<string, fc.Arbitrary<Uint8Array>>> = {
  calls: call.map(encoded),
  batches: fc.array(fc.oneof(call, json), { maxLength: 6 }).map(encoded),
  values: json.map(encoded),
  "bytes that are no UTF-8": fc.uint8Array({ maxLength: 2000 }),
  "texts that are no JSON": fc.string({ unit: "binary", maxLength: 200 }).map(bytesOf),
  "calls with something in between": fc.tuple(call, fc.nat(), fc.uint8Array({ maxLength: 8 })).map(
    ([call, place, junk]) => {
      const body = encoded(call);
      const at = place % (body.length + 1);
      return new Uint8Array([...body.subarray(0, at), ...junk, ...body.subarray(at)]);
    },
  ),
  "calls that are cut": fc.tuple(call, fc.nat()).map(([call, place]) => {
    const body = encoded(call);
    return body.subarray(0, place % (body.length + 1));
  }),
  "what is deep or long": fc.tuple(
    fc.constantFrom("[", '{"a":', '[{"params":', '"\\', "[[],", "1e", "\ufeff", '{"__proto__":'),
    fc.nat(10_000),
    fc.boolean(),
  ).map(([unit, times, closed]) => bytesOf(unit.repeat(times) + (closed ? "]".repeat(times) : ""))),
};

/** Headers that callers can set, with anything in them that a header may hold. */
export const headers: fc.Arbitrary<Record<string, string>> = fc.dictionary(
  fc.constantFrom(
    ..."x-request-id x-timeout-ms idempotency-key traceparent tracestate authorization".split(" "),
    ..."content-type origin accept content-encoding expect".split(" "),
  ),
  fc.oneof(
    fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((c) => String.fromCharCode(c)) }),
    fc.constantFrom(
      "application/json",
      "0",
      "-1",
      "1e3",
      "Infinity",
      "NaN",
      "Basic Og==",
      "Bearer x",
    ),
    fc.constantFrom("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x".repeat(5000)),
  ),
  { maxKeys: 4 },
);

/** Checks that a response is what JSON-RPC 2.0 over HTTP allows. */
export async function assertAnswer(response: Response, statuses: readonly number[]): Promise<void> {
  const text = await response.text();
  assert(statuses.includes(response.status), `HTTP ${response.status}: ${text}`);
  if (response.status === 204) return assertEquals(text, "");
  assertEquals(response.headers.get("content-type"), "application/json");
  const reply = JSON.parse(text);
  if (!Array.isArray(reply)) return assertReply(reply);
  assert(reply.length > 0);
  reply.forEach(assertReply);
}

/** Checks that a reply is what JSON-RPC 2.0 allows. */
export function assertReply(reply: unknown): void {
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
