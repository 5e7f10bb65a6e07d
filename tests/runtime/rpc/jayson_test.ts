/**
 * The client of the original project, in the version that its package.json resolves to.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { serve, type Served } from "./served.ts";

// deno-lint-ignore no-explicit-any -- replies have any shape
type Reply = any;

interface Jayson {
  readonly client: { http(options: { port: number; host: string }): JaysonClient };
}

interface JaysonClient {
  request(...args: unknown[]): void;
}

// its types bring those of an old Node with them, which would be everybody's
const specifier: string = "jayson";
const { default: jayson } = await import(specifier) as { default: Jayson };

/** Asks as the original's `examples/client.js` does. */
function ask(served: Served, ...args: unknown[]): Promise<Reply> {
  const client = jayson.client.http({ port: served.port, host: "127.0.0.1" });
  return new Promise((resolve, reject) => {
    client.request(...args, (error: unknown, reply: Reply) => {
      if (error) reject(error);
      else resolve(reply);
    });
  });
}

Deno.test("jayson gets the result of a call", async () => {
  await using served = serve();
  const reply = await ask(served, "echo", [{ foo: "bar" }]);
  assertEquals(reply.result, { foo: "bar" });
  assertEquals(reply.jsonrpc, "2.0");
  assertEquals(typeof reply.id, "string");
});

Deno.test("jayson gets errors", async () => {
  await using served = serve();
  const failed = await ask(served, "fails", []);
  assertEquals(failed.error.code, -32000);
  assertEquals(failed.error.data.service, "fails");
  const unknown = await ask(served, "nowhere", []);
  assertEquals(unknown.error.code, -32601);
  assertMatch(unknown.error.message, /no such method/);
});

Deno.test("jayson gets nothing for notifications", async () => {
  await using served = serve();
  const one = { jsonrpc: "2.0", method: "echo", params: [1] };
  assertEquals(await ask(served, [one, one]), undefined);
});

Deno.test("jayson sends batches", async () => {
  await using served = serve();
  const one = { jsonrpc: "2.0", method: "echo", params: [1], id: 1 };
  const replies = await ask(served, [one, { ...one, id: 2 }, { ...one, id: undefined }]);
  assertEquals(replies, [
    { jsonrpc: "2.0", id: 1, result: 1 },
    { jsonrpc: "2.0", id: 2, result: 1 },
  ]);
});

Deno.test("jayson sends bodies of every length", async () => {
  await using served = serve();
  for (const length of [0, 1_000, 100_000, 2_000_000]) {
    const text = "é".repeat(length / 2);
    assertEquals((await ask(served, "echo", [text])).result, text);
  }
});
