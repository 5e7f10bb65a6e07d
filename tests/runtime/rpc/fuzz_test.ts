/**
 * Whatever comes is answered with JSON-RPC: at least 10,000 inputs a run, most of them in this process and
 * some over a socket. `FUZZ_RUNS=1000000` makes it more, `FUZZ_SEED=…` the same again.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { rpcApp } from "../../../runtime/rpc/app.ts";
import { type Decoded, decodeText } from "../../../runtime/rpc/decode.ts";
import { DEFAULT_LIMITS } from "../../../runtime/rpc/limits.ts";
import {
  assertAnswer,
  call,
  families,
  headers,
  json,
  LIMITS,
  runsOf,
  seed,
} from "./fuzz_inputs.ts";
import { serve, service } from "./served.ts";

console.log(`FUZZ_SEED=${seed}`);

/** A request with a body, which says its length or does not. */
function post(
  body: Uint8Array,
  saysLength: boolean,
  more: Readonly<Record<string, string>> = {},
): Request {
  const bytes = body as Uint8Array<ArrayBuffer>;
  return new Request("http://localhost/", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(saysLength && { "content-length": String(body.length) }),
      ...more,
    },
    body: saysLength ? bytes : new Blob([bytes]).stream(),
  });
}

for (const [name, bodies] of Object.entries(families)) {
  Deno.test(`the endpoint answers with JSON-RPC whatever comes: ${name}`, async () => {
    const { fetch } = rpcApp({ service, limits: LIMITS });
    await fc.assert(
      fc.asyncProperty(bodies, fc.boolean(), async (body, saysLength) => {
        await assertAnswer(await fetch(post(body, saysLength)), [200, 204, 413]);
      }),
      { seed, numRuns: runsOf(1100) },
    );
    deadlines.settle();
  });
}

Deno.test("the endpoint answers with JSON-RPC whatever the headers are", async () => {
  const { fetch } = rpcApp({ service, limits: LIMITS, secret: "Bearer secret" });
  const open = rpcApp({ service, limits: LIMITS, origins: ["https://shop.example"] });
  const encoder = new TextEncoder();
  await fc.assert(
    fc.asyncProperty(call, headers, fc.boolean(), async (call, headers, isOpen) => {
      const request = post(encoder.encode(JSON.stringify(call)), true, headers);
      const response = await (isOpen ? open.fetch : fetch)(request);
      await assertAnswer(response, [200, 204, 401, 413, 415]);
    }),
    { seed, numRuns: runsOf(1100) },
  );
  deadlines.settle();
});

Deno.test("the endpoint answers whatever is asked for over HTTP", async () => {
  const { fetch } = rpcApp({ service });
  const method = fc.constantFrom("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "POST");
  const path = fc.oneof(
    fc.webPath(),
    fc.constantFrom("/", "//", "/healthz", "/readyz", "/..%2f", "/%", "/%ff", "/?", "/healthz/"),
  );
  await fc.assert(
    fc.asyncProperty(method, path, headers, async (method, path, headers) => {
      const response = await fetch(new Request(`http://localhost${path}`, { method, headers }));
      assert(response.status < 500, `HTTP ${response.status}`);
      const text = await response.text();
      if (text !== "") JSON.parse(text);
    }),
    { seed, numRuns: runsOf(500) },
  );
  deadlines.settle();
});

Deno.test("the endpoint gives back what it was given", async () => {
  const { fetch } = rpcApp({ service });
  const encoder = new TextEncoder();
  const id = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  await fc.assert(
    fc.asyncProperty(id, json, fc.boolean(), async (id, value, saysLength) => {
      const sent = JSON.stringify({ jsonrpc: "2.0", id, method: "echo", params: [value] });
      const { id: sentId, params: [result] } = JSON.parse(sent);
      const response = await fetch(post(encoder.encode(sent), saysLength));
      assertEquals(await response.json(), { jsonrpc: "2.0", id: sentId, result });
    }),
    { seed, numRuns: runsOf(800) },
  );
  deadlines.settle();
});

Deno.test("decodeText() answers whatever it is given, and never more than was asked", () => {
  const text = fc.oneof(...Object.values(families)).map((bytes) => new TextDecoder().decode(bytes));
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
    { seed, numRuns: runsOf(2000) },
  );
});

Deno.test("the endpoint answers whatever comes over a socket, and goes on", async () => {
  await using served = serve({ limits: LIMITS });
  const body = fc.oneof(...Object.values(families)) as fc.Arbitrary<Uint8Array<ArrayBuffer>>;
  await fc.assert(
    fc.asyncProperty(body, fc.boolean(), async (body, chunked) => {
      const sent = chunked ? new Blob([body]).stream() : body;
      await assertAnswer(await served.post(sent), [200, 204, 413]);
    }),
    { seed, numRuns: runsOf(300) },
  );
  assertEquals(
    await served.call({ jsonrpc: "2.0", id: 1, method: "echo", params: [1] }),
    { jsonrpc: "2.0", id: 1, result: 1 },
  );
});
