/** What clients send that are broken, or mean harm. What Deno's server does about it is relied upon. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { RawConnection } from "./raw_connection.ts";
import { serve, type Served } from "./served.ts";

const echo = (value: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method: "echo", params: [value] });

async function assertGoesOn(served: Served): Promise<void> {
  assertEquals((await served.call(echo("still here"))).result, "still here");
}

Deno.test("headers that are too large, or too many, are refused, and the connection ends", async () => {
  await using served = serve();
  const requests = [
    `x: ${"a".repeat(1024 * 1024)}\r\n`,
    Array.from({ length: 1000 }, (_, i) => `x-${i}: a\r\n`).join(""),
  ];
  for (const headers of requests) {
    using connection = await RawConnection.open(served.port);
    // it is cut off while it still writes
    const writing = connection.write(`POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n`).catch(
      () => {},
    );
    const answer = await connection.rest();
    await writing;
    assert(answer === "" || answer.startsWith("HTTP/1.1 400 "), answer.slice(0, 100));
  }
  await assertGoesOn(served);
});

Deno.test("headers of common sizes are taken", async () => {
  await using served = serve();
  assertEquals((await served.call(echo(1), { cookie: "c".repeat(30_000) })).result, 1);
});

Deno.test("what is no HTTP ends the connection, after what came before it was answered", async () => {
  await using served = serve();
  const body = echo("before");
  const request = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" +
    `content-length: ${body.length}\r\n\r\n${body}`;
  for (const garbage of ["\x00\x01\x02\r\n\r\n", "blah\r\n\r\n", '{"jsonrpc":"2.0"}\r\n\r\n']) {
    using connection = await RawConnection.open(served.port);
    await connection.write(request + request + garbage);
    const answer = await connection.rest();
    assertEquals(answer.split('"result":"before"').length - 1, 2, answer);
    assertStringIncludes(answer, "HTTP/1.1 400 ");
  }
  await assertGoesOn(served);
});

Deno.test("a batch of 10,000 is refused as one, and one of 1,000 answered", async () => {
  await using served = serve();
  const batch = (length: number) =>
    JSON.stringify(
      Array.from({ length }, (_, id) => ({ jsonrpc: "2.0", id, method: "echo", params: [id] })),
    );
  const { id, error } = await served.call(batch(10_000));
  assertEquals([id, error.data.code], [null, "request_too_large"]);
  assertEquals(
    error.message,
    "Cannot read the request: the batch holds 10000 calls and 1000 are allowed",
  );
  assertEquals((await served.call(batch(1000))).length, 1000);
});

Deno.test("a body that is no UTF-8 gets an answer that is", async () => {
  await using served = serve();
  const encoder = new TextEncoder();
  for (const bad of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0x80]]) {
    const body = new Uint8Array([...encoder.encode(echo("|").split("|")[0]), ...bad]);
    const whole = new Uint8Array([...body, ...encoder.encode('"]}')]);
    for (const sent of [body, whole]) {
      const response = await served.post(sent);
      new TextDecoder("utf-8", { fatal: true }).decode(await response.arrayBuffer());
      assertEquals(response.status, 200);
    }
  }
});

Deno.test("__proto__ in a request is data, and changes nothing", async () => {
  await using served = serve();
  const sent = '{"jsonrpc":"2.0","id":1,"method":"echo","params":[{"__proto__":{"admin":true}}]}';
  const response = await served.post(sent);
  assertEquals(
    await response.text(),
    '{"jsonrpc":"2.0","id":1,"result":{"__proto__":{"admin":true}}}',
  );
  assertEquals(({} as { admin?: boolean }).admin, undefined);
  const outer = '{"__proto__":{"method":"echo"},"jsonrpc":"2.0","id":1}';
  assertEquals((await served.call(outer)).error.code, -32600);
});

Deno.test("callers that leave, or say nothing, keep nobody else from being answered", async () => {
  await using served = serve();
  const silent = await Promise.all(
    Array.from({ length: 100 }, () => RawConnection.open(served.port)),
  );
  try {
    for (const [i, connection] of silent.entries()) {
      if (i % 3 === 1) await connection.write("POST / HTTP/1.1\r\nhost:");
      if (i % 3 === 2) await connection.head({ "content-length": 100 });
    }
    await assertGoesOn(served);
  } finally {
    for (const connection of silent) connection[Symbol.dispose]();
  }
  await assertGoesOn(served);
});

Deno.test("callers that read their answers a byte at a time keep nobody else from being answered", async () => {
  await using served = serve();
  const value = "x".repeat(3 * 1024 * 1024);
  const body = echo(value);
  const slow = await Promise.all(
    Array.from({ length: 10 }, () => RawConnection.open(served.port)),
  );
  try {
    await Promise.all(slow.map(async (connection) => {
      await connection.head({ "content-length": body.length });
      await connection.write(body);
    }));
    for (let bytes = 0; bytes < 10; bytes++) {
      for (const connection of slow) assert(await connection.byte());
      await assertGoesOn(served);
    }
    // however long it takes, an answer is whole
    const { status, body: text } = await slow[0]!.response();
    assertEquals([status, JSON.parse(text).result === value], [200, true]);
  } finally {
    for (const connection of slow) connection[Symbol.dispose]();
  }
  await assertGoesOn(served);
});
