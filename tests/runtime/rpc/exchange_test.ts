import { assertEquals } from "@std/assert";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { rpcApp } from "../../../runtime/rpc/app.ts";
import { RawConnection } from "./raw_connection.ts";
import { serve, service, serviceOf } from "./served.ts";

const echo = (...params: unknown[]) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method: "echo", params });

/** Text as the chunks of a body of unknown length. */
function stream(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return ReadableStream.from(
    chunks.map((chunk) => typeof chunk === "string" ? encoder.encode(chunk) : chunk),
  );
}

Deno.test("Exchange reads bodies of every length", async () => {
  await using served = serve();
  for (const length of [0, 10, 400, 600, 5_000, 60_000, 100_000, 3_000_000]) {
    const text = "é".repeat(length / 2);
    assertEquals((await served.call(echo(text))).result, text);
    const chunked = await served.post(stream(echo(text)));
    assertEquals((await chunked.json()).result, text);
  }
});

Deno.test("Exchange reads a body that comes byte by byte", async () => {
  await using served = serve();
  const body = new TextEncoder().encode(echo("é😀"));
  const expected = '{"jsonrpc":"2.0","id":1,"result":"é😀"}';
  const chunked = await served.post(stream(...Array.from(body, (byte) => Uint8Array.of(byte))));
  assertEquals(await chunked.text(), expected);
  using connection = await RawConnection.open(served.port);
  await connection.head({ "content-length": body.length });
  for (const byte of body) await connection.write(Uint8Array.of(byte));
  const response = await connection.response();
  const bytes = Uint8Array.from(response.body, (character) => character.charCodeAt(0));
  assertEquals(new TextDecoder().decode(bytes), expected);
});

Deno.test("Exchange refuses an empty body as any that is not JSON", async () => {
  await using served = serve();
  for (const body of ["", stream(), "{", stream("{")]) {
    const response = await served.post(body);
    assertEquals(response.status, 200);
    assertEquals((await response.json()).error.code, -32700);
  }
});

Deno.test("Exchange refuses a body that says it is too long before any of it has come", async () => {
  await using served = serve({ limits: { maxBody: 100 } });
  using connection = await RawConnection.open(served.port);
  await connection.head({ "content-length": 101 });
  const { status, body } = await connection.response();
  assertEquals(status, 413);
  const { id, error } = JSON.parse(body);
  assertEquals(id, null);
  assertEquals(error.code, -32012);
  assertEquals(error.message, "Cannot read the request: its body is longer than 100 bytes");
});

Deno.test("Exchange refuses a body without a length as soon as it is too long", async () => {
  await using served = serve({ limits: { maxBody: 100 } });
  using connection = await RawConnection.open(served.port);
  await connection.head({ "transfer-encoding": "chunked" });
  await connection.write(`65\r\n${" ".repeat(101)}\r\n`);
  assertEquals((await connection.response()).status, 413);
});

Deno.test("Exchange takes a body that is just as long as allowed", async () => {
  const body = echo("x".repeat(1000));
  await using served = serve({ limits: { maxBody: body.length } });
  assertEquals((await served.call(body)).result.length, 1000);
  assertEquals((await (await served.post(stream(body))).json()).result.length, 1000);
  const longer = await served.post(body + " ");
  assertEquals(longer.status, 413);
  await longer.body?.cancel();
});

for (const length of ["20", "5000", "unknown"]) {
  Deno.test(`Exchange cuts off a body of length ${length} that does not come in time`, async () => {
    const { fetch } = rpcApp({ service, limits: { bodyTimeout: 30 } });
    let cancelled = false;
    // a stream of this test's own, since Deno 2.8.3 never ends a read that the response overtakes
    const body = new ReadableStream({ cancel: () => void (cancelled = true) });
    const response = await fetch(
      new Request("http://localhost/", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(length !== "unknown" && { "content-length": length }),
        },
        body,
      }),
    );
    assertEquals(response.status, 408);
    assertEquals(
      (await response.json()).error.message,
      "Cannot read the request: its body did not arrive within 30 ms",
    );
    // json(), which reads the small ones, cannot be stopped
    assertEquals(cancelled, length !== "20");
    deadlines.settle();
  });
}

Deno.test("Exchange goes on when a caller leaves in the middle of a body", async () => {
  await using served = serve();
  for (const [name, value] of [["content-length", 20], ["transfer-encoding", "chunked"]] as const) {
    using connection = await RawConnection.open(served.port);
    await connection.head({ [name]: value });
    await connection.write("{");
  }
  assertEquals((await served.call(echo(1))).result, 1);
});

Deno.test("Exchange never calls with half a body", async () => {
  let calls = 0;
  const count = () => void calls++;
  {
    await using served = serve({ service: serviceOf({ count }) });
    const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "count" });
    for (const [name, value] of [["content-length", 900], ["content-length", 5000]] as const) {
      using connection = await RawConnection.open(served.port);
      await connection.head({ [name]: value });
      await connection.write(call);
      await connection.end();
    }
    using connection = await RawConnection.open(served.port);
    await connection.head({ "transfer-encoding": "chunked" });
    await connection.write(`${call.length.toString(16)}\r\n${call}\r\n`);
    await connection.end();
  }
  assertEquals(calls, 0);
});

Deno.test("Exchange refuses what is nested too deeply, however short", async () => {
  await using served = serve({ limits: { maxDepth: 4 } });
  const { error } = await served.call(echo([[[1]]]));
  assertEquals(error.data.code, "request_too_large");
  assertEquals((await served.call(echo([[1]]))).result, [[1]]);
  const deep = "[".repeat(1_000_000);
  assertEquals((await served.call(deep)).error.data.code, "request_too_large");
});

Deno.test("Exchange answers requests that come before the first is answered", async () => {
  await using served = serve();
  using connection = await RawConnection.open(served.port);
  const body = echo("x");
  const request = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" +
    `content-length: ${body.length}\r\n\r\n${body}`;
  await connection.write(request.repeat(3));
  for (let i = 0; i < 3; i++) {
    const { status, body } = await connection.response();
    assertEquals([status, JSON.parse(body).result], [200, "x"]);
  }
});

Deno.test("Exchange takes bytes that are not UTF-8 for replacement characters", async () => {
  await using served = serve();
  const [before, after] = echo("|").split("|").map((text) => new TextEncoder().encode(text));
  const body = new Uint8Array([...before!, 0xff, 0xc3, ...after!]);
  for (const sent of [body, stream(body)]) {
    const response = await served.post(sent);
    assertEquals((await response.json()).result, "\ufffd\ufffd");
  }
});

Deno.test("Exchange leaves nothing behind on the timing wheel", async () => {
  await using served = serve({ limits: { maxBody: 1000 } });
  const before = deadlines.size;
  const bodies = [echo(1), "{", "[]", " ".repeat(1001), stream(" ".repeat(1001)), stream("1")];
  for (const body of bodies) await (await served.post(body)).body?.cancel();
  assertEquals(deadlines.size, before);
});
