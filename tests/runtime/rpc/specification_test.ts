/**
 * The examples of the JSON-RPC 2.0 specification, https://www.jsonrpc.org/specification#examples.
 *
 * Of errors the number and the id are compared: the specification leaves the message to the server.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { serve, serviceOf } from "./served.ts";

const service = serviceOf({
  subtract: (request: [number, number] | { minuend: number; subtrahend: number }) =>
    Array.isArray(request) ? request[0] - request[1] : request.minuend - request.subtrahend,
  sum: (request: number[]) => request.reduce((a, b) => a + b),
  get_data: () => ["hello", 5],
  update: () => null,
  notify_hello: () => null,
  notify_sum: () => null,
});

const invalidRequest = { code: -32600, id: null };

/** What is sent, and what comes back; `""` for nothing. */
const EXAMPLES: [name: string, sent: string, reply: unknown][] = [
  [
    "call with positional parameters",
    '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
    { result: 19, id: 1 },
  ],
  [
    "call with positional parameters the other way round",
    '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
    { result: -19, id: 2 },
  ],
  [
    "call with named parameters",
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
    { result: 19, id: 3 },
  ],
  [
    "call with named parameters the other way round",
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
    { result: 19, id: 4 },
  ],
  ["notification", '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', ""],
  ["notification of a method that is not there", '{"jsonrpc": "2.0", "method": "foobar"}', ""],
  [
    "call of a method that is not there",
    '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
    { code: -32601, id: "1" },
  ],
  [
    "call with invalid JSON",
    '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
    { code: -32700, id: null },
  ],
  [
    "call that is no request object",
    '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
    invalidRequest,
  ],
  [
    "batch, invalid JSON",
    '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},' +
    '{"jsonrpc": "2.0", "method"]',
    { code: -32700, id: null },
  ],
  ["empty array", "[]", invalidRequest],
  ["invalid batch that is not empty", "[1]", [invalidRequest]],
  ["invalid batch", "[1,2,3]", [invalidRequest, invalidRequest, invalidRequest]],
  [
    "batch",
    `[
      {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
      {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
      {"foo": "boo"},
      {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
      {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]`,
    [
      { result: 7, id: "1" },
      { result: 19, id: "2" },
      invalidRequest,
      { code: -32601, id: "5" },
      { result: ["hello", 5], id: "9" },
    ],
  ],
  [
    "batch of notifications",
    '[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},' +
    '{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]',
    "",
  ],
];

interface Reply {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { code: number; message: string };
}

function essence(reply: Reply | Reply[] | ""): unknown {
  if (reply === "") return "";
  if (Array.isArray(reply)) return reply.map(essence);
  assertEquals(reply.jsonrpc, "2.0");
  const { id, result, error } = reply;
  if (error === undefined) return { result, id };
  assertEquals(typeof error.message, "string");
  assertEquals("result" in reply, false);
  return { code: error.code, id };
}

for (const [name, sent, reply] of EXAMPLES) {
  Deno.test(`the endpoint answers as the specification does: ${name}`, async () => {
    await using served = serve({ service });
    assertEquals(essence(await served.call(sent)), reply);
  });
}
