import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { join } from "@std/path";
import { MpError } from "../../../runtime/errors.ts";
import { Payload } from "../../../runtime/payload.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { rpcApp } from "../../../runtime/rpc/app.ts";
import type { CallMeta } from "../../../runtime/rpc/rpc_service.ts";
import { needsSystem, testWith } from "../../support/needs.ts";
import { serve, service, serviceOf } from "./served.ts";

const call = (method: string, ...params: unknown[]) => ({ jsonrpc: "2.0", id: 1, method, params });

Deno.test("rpcApp() answers a call with 200 and JSON", async () => {
  await using served = serve();
  const response = await served.post(JSON.stringify(call("echo", { a: 1 })));
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "application/json");
  assertEquals(await response.text(), '{"jsonrpc":"2.0","id":1,"result":{"a":1}}');
});

Deno.test("rpcApp() answers whether the handler waits or not", async () => {
  await using served = serve();
  for (const method of ["echo", "later"]) {
    assertEquals((await served.call(call(method, [1]))).result, [1]);
  }
});

Deno.test("rpcApp() answers with null when the handler returns undefined", async () => {
  await using served = serve();
  assertEquals(await served.call(call("nothing")), { jsonrpc: "2.0", id: 1, result: null });
});

Deno.test("rpcApp() passes a result on as the text that it came as", async () => {
  const text = '{"big":12345678901234567890,"a" : 1.0}';
  const raw = { ...service, call: () => Payload.ofText(text) };
  await using served = serve({ service: raw });
  const response = await served.post(JSON.stringify(call("echo")));
  assertEquals(await response.text(), `{"jsonrpc":"2.0","id":1,"result":${text}}`);
});

Deno.test("rpcApp() gives 200 and the error when a handler throws, without a path", async () => {
  await using served = serve({ replica: "fails.gather.0" });
  const response = await served.post(JSON.stringify(call("fails")));
  assertEquals(response.status, 200);
  assertEquals((await response.json()).error, {
    code: -32000,
    message: "no such file 'prices.json'",
    data: { code: "handler_failed", service: "fails", replica: "fails.gather.0", reason: "threw" },
  });
});

Deno.test("rpcApp() gives the code of an MpError", async () => {
  await using served = serve();
  assertEquals((await served.call(call("late"))).error, {
    code: -32001,
    message: "Cannot call: too late",
    data: { code: "deadline_exceeded", service: "late" },
  });
});

Deno.test("rpcApp() gives not_json when the result is no JSON", async () => {
  await using served = serve();
  assertEquals((await served.call(call("notJson"))).error.data.code, "not_json");
});

Deno.test("rpcApp() gives method_not_found, with the name that was meant", async () => {
  await using served = serve();
  const { error } = await served.call(call("ecko"));
  assertEquals(error.code, -32601);
  assertEquals(
    error.message,
    'Cannot call "ecko": there is no such method; did you mean "echo"?',
  );
  for (const unlike of ["zzzzzzzz", "__proto__", "constructor", "x".repeat(100_000)]) {
    const { error } = await served.call(call(unlike));
    assertEquals(error.code, -32601);
    assertNotMatch(error.message, /did you mean/);
    assert(error.message.length < 200);
  }
});

Deno.test("rpcApp() finds methods that were added later", async () => {
  const handlers: Record<string, (request: unknown) => unknown> = {};
  await using served = serve({ service: serviceOf(handlers) });
  assertEquals((await served.call(call("late-comer"))).error.code, -32601);
  handlers["late-comer"] = () => "here";
  assertEquals((await served.call(call("late-comer"))).result, "here");
});

Deno.test("rpcApp() gives 204 when only notifications came, after they have been handled", async () => {
  const seen: unknown[] = [];
  const note = async (request: unknown) => {
    await Promise.resolve();
    seen.push(request);
    throw new Error("nobody hears of this");
  };
  await using served = serve({ service: serviceOf({ note }) });
  const one = { jsonrpc: "2.0", method: "note", params: [1] };
  for (const body of [one, [one, one]]) {
    const response = await served.post(JSON.stringify(body));
    assertEquals(response.status, 204);
    assertEquals(await response.text(), "");
  }
  assertEquals(seen, [1, 1, 1]);
});

Deno.test("rpcApp() runs the calls of a batch at the same time, and replies in their order", async () => {
  const open = Promise.withResolvers<string>();
  const handlers = { waits: () => open.promise, opens: () => open.resolve("open") };
  await using served = serve({ service: serviceOf(handlers) });
  const replies = await served.call([call("waits"), { ...call("opens"), id: 2 }]);
  assertEquals(replies, [
    { jsonrpc: "2.0", id: 1, result: "open" },
    { jsonrpc: "2.0", id: 2, result: null },
  ]);
});

Deno.test("rpcApp() refuses a body that does not say that it is JSON", async () => {
  await using served = serve();
  const body = JSON.stringify(call("echo"));
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"]) {
    const response = await served.post(body, { "content-type": type });
    assertEquals(response.status, 415);
    const { id, error } = await response.json();
    assertEquals([id, error.code], [null, -32600]);
    assert(error.message.includes(`"${type}"`));
  }
  const none = await fetch(served.url, { method: "POST", body: new TextEncoder().encode(body) });
  assertEquals(none.status, 415);
  await none.body?.cancel();
});

Deno.test("rpcApp() takes the content types that JSON-RPC goes by", async () => {
  await using served = serve();
  for (
    const type of [
      "application/json; charset=utf-8",
      "Application/JSON",
      "application/json-rpc",
      "application/vnd.shop+json",
    ]
  ) {
    const response = await served.post(JSON.stringify(call("echo", 1)), { "content-type": type });
    assertEquals(response.status, 200, type);
    await response.body?.cancel();
  }
});

Deno.test("rpcApp() answers no other origin", async () => {
  await using served = serve();
  const response = await fetch(served.url, {
    method: "OPTIONS",
    headers: { origin: "https://example.com", "access-control-request-method": "POST" },
  });
  assertEquals(response.status, 405);
  await response.body?.cancel();
  const posted = await served.post(JSON.stringify(call("echo")), {
    origin: "https://example.com",
  });
  await posted.body?.cancel();
  for (const [name] of [...response.headers, ...posted.headers]) {
    assertNotMatch(name, /^access-control/);
  }
});

Deno.test("rpcApp() asks for the secret when it has one", async () => {
  await using served = serve({ secret: "s3cret" });
  const body = JSON.stringify(call("echo", 1));
  const wrong = ["", "Bearer s3creT", "Bearer s3crets", "Bearer ", "s3cret", "Basic s3cret"];
  for (const authorization of wrong) {
    const response = await served.post(body, { authorization });
    assertEquals(response.status, 401, authorization);
    assertEquals(response.headers.get("www-authenticate"), "Bearer");
    const { error } = await response.json();
    assertEquals(error.data.code, "unauthorized");
    assertNotMatch(error.message, /s3cret/);
  }
  assertEquals((await served.call(body, { authorization: "Bearer s3cret" })).result, 1);
  const health = await fetch(served.url + "healthz");
  assertEquals(await health.json(), { status: "ok" });
});

Deno.test("rpcApp() tells what the headers say about a call", async () => {
  const meta = (_: unknown, meta: CallMeta) => ({
    requestId: meta.requestId,
    timeoutMs: meta.timeoutMs,
    idempotencyKey: meta.idempotencyKey,
    traceparent: meta.traceparent,
  });
  await using served = serve({ service: serviceOf({ meta }) });
  assertEquals((await served.call(call("meta"))).result, {});
  const headers = {
    "x-request-id": "r".repeat(200),
    "x-timeout-ms": "250.5",
    "idempotency-key": "k1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
  assertEquals((await served.call(call("meta"), headers)).result, {
    requestId: "r".repeat(128),
    timeoutMs: 250.5,
    idempotencyKey: "k1",
    traceparent: headers.traceparent,
  });
});

Deno.test("rpcApp() gives each call of a batch an idempotency key of its own", async () => {
  const meta = (_: unknown, meta: CallMeta) => [meta.idempotencyKey, meta.requestId];
  await using served = serve({ service: serviceOf({ meta }) });
  const headers = { "idempotency-key": "k1", "x-request-id": "r1" };
  const replies = await served.call([call("meta"), call("meta")], headers);
  assertEquals(
    replies.map(({ result }: { result: unknown }) => result),
    [["k1#0", "r1"], ["k1#1", "r1"]],
  );
  const refused = await served.call([call("meta")], { "idempotency-key": "k".repeat(256) });
  assertEquals(refused[0].error.data.code, "invalid_request");
});

Deno.test("rpcApp() hands on request ids and credentials as one line of ASCII", async () => {
  const meta = (_: unknown, { requestId, authorization }: CallMeta) => [requestId, authorization];
  await using served = serve({ service: serviceOf({ meta }) });
  const headers = { "x-request-id": "a b\tc\u00e9\u009b", "authorization": "Basic YTpi" };
  assertEquals((await served.call(call("meta"), headers)).result, ["a_b_c__", "Basic YTpi"]);
});

Deno.test("rpcApp() answers 503, and says when to come back, to one call that a service is too busy for", async () => {
  await using served = serve({
    service: serviceOf({
      full: (retryAfter?: number) => {
        throw new MpError("overloaded", "Cannot call: full", { replica: "s.0", retryAfter });
      },
      echo: (request: unknown) => request,
    }),
  });
  const call = (params?: unknown) => ({ jsonrpc: "2.0", id: 1, method: "full", params });
  for (const [milliseconds, seconds] of [[1, "1"], [1_000, "1"], [1_001, "2"], [undefined, "1"]]) {
    const response = await served.post(JSON.stringify(call(milliseconds ? [milliseconds] : [])));
    assertEquals([response.status, response.headers.get("retry-after")], [503, seconds]);
    const { error } = await response.json();
    assertEquals([error.code, error.data.code], [-32004, "overloaded"]);
    assertEquals([error.data.replica, error.data.retryAfter], ["s.0", milliseconds]);
  }
  // of several calls, the others have been answered
  const batch = await served.post(
    JSON.stringify([call([5]), { jsonrpc: "2.0", id: 2, method: "echo" }]),
  );
  assertEquals([batch.status, batch.headers.get("retry-after")], [200, null]);
  assertEquals((await batch.json()).length, 2);
});

Deno.test("rpcApp() answers 401 to one call that a service refuses for want of credentials", async () => {
  const refuse = (_: unknown, meta: CallMeta) => {
    meta.challenge = 'Basic realm="r"';
    throw new MpError("unauthorized", "Cannot call");
  };
  const later = (_: unknown, meta: CallMeta) => Promise.resolve().then(() => refuse(_, meta));
  const inside = () => Promise.reject(new MpError("unauthorized", "Cannot call another"));
  await using served = serve({ service: serviceOf({ refuse, later, inside }) });
  for (const method of ["refuse", "later"]) {
    const response = await served.post(JSON.stringify(call(method)));
    assertEquals(response.status, 401);
    assertEquals(response.headers.get("www-authenticate"), 'Basic realm="r"');
    assertEquals(response.headers.get("content-type"), "application/json");
    assertEquals((await response.json()).error.code, -32003);
    const notified = await served.post(JSON.stringify({ jsonrpc: "2.0", method }));
    assertEquals([notified.status, await notified.text()], [401, ""]);
    assertEquals(notified.headers.get("www-authenticate"), 'Basic realm="r"');
    const batch = await served.post(JSON.stringify([call(method), call(method)]));
    assertEquals([batch.status, batch.headers.get("www-authenticate")], [200, null]);
    assertEquals((await batch.json()).length, 2);
  }
  // the caller could not do anything about it
  const response = await served.post(JSON.stringify(call("inside")));
  assertEquals([response.status, response.headers.get("www-authenticate")], [200, null]);
  assertEquals((await response.json()).error.code, -32003);
});

Deno.test("rpcApp() refuses headers that it cannot use", async () => {
  const handlers = {
    timeout: (_: unknown, meta: CallMeta) => meta.timeoutMs,
    key: (_: unknown, meta: CallMeta) => meta.idempotencyKey,
  };
  await using served = serve({ service: serviceOf(handlers) });
  for (const timeout of ["soon", "0", "-1", "Infinity", "NaN"]) {
    const { error } = await served.call(call("timeout"), { "x-timeout-ms": timeout });
    assertEquals(error.data.code, "invalid_request");
    assert(error.message.includes(`"${timeout}"`));
  }
  const { error } = await served.call(call("key"), { "idempotency-key": "k".repeat(256) });
  assertEquals(error.data.code, "invalid_request");
});

Deno.test("rpcApp() aborts the signal of a call whose caller goes away", async () => {
  const arrived = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const wait = (_: unknown, { signal }: CallMeta) => {
    signal.addEventListener("abort", () => aborted.resolve());
    arrived.resolve();
    return aborted.promise;
  };
  await using served = serve({ service: serviceOf({ wait }) });
  const caller = new AbortController();
  const response = fetch(served.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(call("wait")),
    signal: caller.signal,
  }).catch((error: Error) => error.name);
  await arrived.promise;
  caller.abort();
  assertEquals(await response, "AbortError");
  await aborted.promise;
});

Deno.test("rpcApp() asks callers to close their connections while it drains", async () => {
  let draining = false;
  await using served = serve({ draining: () => draining });
  const ask = async () => {
    const note = JSON.stringify({ jsonrpc: "2.0", method: "echo" });
    const responses = await Promise.all([
      served.post(JSON.stringify(call("echo", 1))),
      served.post(JSON.stringify(call("later", 1))),
      served.post(note),
      served.post("", { "content-type": "text/plain" }),
      fetch(served.url),
      fetch(served.url + "metrics"),
      fetch(served.url + "nowhere"),
    ]);
    await Promise.all(responses.map((response) => response.body?.cancel()));
    return responses.map((response) => response.headers.get("connection"));
  };
  assertEquals(await ask(), new Array(7).fill(null));
  draining = true;
  assertEquals(await ask(), new Array(7).fill("close"));
});

Deno.test("rpcApp() says whether it is healthy, and whether it is ready", async () => {
  const missing: string[] = ["search.scatter.3"];
  await using served = serve({
    service: { ...service, ready: () => ({ ready: missing.length === 0, missing }) },
  });
  const health = await fetch(served.url + "healthz");
  assertEquals([health.status, await health.json()], [200, { status: "ok" }]);
  const waiting = await fetch(served.url + "readyz");
  assertEquals(waiting.status, 503);
  assertEquals(await waiting.json(), { ready: false, missing: ["search.scatter.3"] });
  missing.pop();
  const ready = await fetch(served.url + "readyz");
  assertEquals([ready.status, await ready.json()], [200, { ready: true, missing: [] }]);
});

Deno.test("rpcApp() tells a person how to call it, and the call works", async () => {
  await using served = serve({ name: "shop" });
  const response = await fetch(served.url);
  assertEquals(response.status, 200);
  const { name, methods, example } = await response.json();
  assertEquals(name, "shop");
  assertEquals(methods, ["echo", "later", "nothing", "fails", "late", "notJson"]);
  const [, header, body, url] = /^curl -H '(.*)' -d '(.*)' (.*)$/.exec(example)!;
  const [field, value] = header!.split(": ");
  const called = await fetch(url!, { method: "POST", headers: { [field!]: value! }, body });
  assertEquals(await called.json(), { jsonrpc: "2.0", id: 1, result: null });
});

Deno.test("rpcApp() says in JSON what is not there, and what is possible", async () => {
  await using served = serve();
  const cases: [string, string, number, string | null][] = [
    ["GET", "nowhere", 404, null],
    ["POST", "nowhere", 404, null],
    ["POST", "healthz", 405, "GET"],
    ["DELETE", "", 405, "POST, GET"],
    ["PUT", "metrics", 405, "GET"],
  ];
  for (const [method, path, status, allow] of cases) {
    const response = await fetch(served.url + path, { method });
    assertEquals([response.status, response.headers.get("allow")], [status, allow]);
    assertMatch((await response.json()).error, new RegExp(`^Cannot ${method} "/${path}": `));
  }
});

Deno.test("rpcApp() answers a call with a query as well", async () => {
  await using served = serve();
  const response = await fetch(served.url + "?from=here", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(call("echo", 1)),
  });
  assertEquals((await response.json()).result, 1);
});

Deno.test("rpcApp() serves what is added to its routes", async () => {
  const app = rpcApp({ service });
  app.hono.post("/shop/cart", (c) => c.text("added"));
  const request = new Request("http://localhost/shop/cart", { method: "POST" });
  assertEquals(await (await app.fetch(request)).text(), "added");
});

Deno.test("rpcApp() survives a service that fails in its own way", async () => {
  const broken = {
    ...service,
    call() {
      throw new MpError("internal_error", "Cannot answer: the wires are crossed");
    },
  };
  await using served = serve({ service: broken });
  assertEquals((await served.call(call("echo"))).error.code, -32603);
});

testWith(
  needsSystem("linux", "darwin"),
  "rpcApp() answers on a Unix socket",
  async () => {
    const folder = await Deno.makeTempDir();
    const path = join(folder, "http");
    const { fetch: handle } = rpcApp({ service });
    const server = Deno.serve({ path, onListen() {} }, handle);
    using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
    const posted = await fetch("http://localhost/", {
      method: "POST",
      client,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(call("echo", 1)),
    });
    assertEquals((await posted.json()).result, 1);
    const health = await fetch("http://localhost/healthz", { client });
    assertEquals(await health.json(), { status: "ok" });
    await server.shutdown();
    deadlines.settle();
    await Deno.remove(folder, { recursive: true });
  },
);
