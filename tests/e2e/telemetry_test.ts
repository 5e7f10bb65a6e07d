import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { otlpReceiver, type ReceivedSpan } from "../support/otlp_receiver.ts";
import { launch } from "./launched.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const HEADERS = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: "congo=t61rcWkgMzE" };

/** Calls a service as part of a trace. */
async function call(url: string, method: string, headers: Record<string, string> = HEADERS) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method }),
  });
  return await response.json();
}

/** A span and what is under it, as `kind name replica`. */
function treeOf(span: ReceivedSpan, spans: readonly ReceivedSpan[]): unknown[] {
  const { kind, name, attributes, resource } = span;
  const who = attributes["mp.replica"] ?? resource["service.instance.id"];
  const children = spans.filter(({ parentSpanId }) => parentSpanId === span.spanId)
    .map((child) => treeOf(child, spans));
  children.sort((a, b) => String(a[0]) < String(b[0]) ? -1 : 1);
  return [`${kind} ${name} ${who}`, ...children];
}

Deno.test("one trace shows a whole scatter, from the caller through the ingress to each leaf", async () => {
  await using receiver = otlpReceiver();
  await using at = await launch(
    `
    const leaf = () => {
      console.log("leaf at work");
      return 1;
    };
    const sum = mp.service("sum", mp.scatter(3, leaf, (all: number[]) => all.length));
    mp.service("front", async (_: unknown, context: mp.Context) =>
      ({ sum: await sum.call(), trace: context.trace }), { expose: true, replicas: 2 });`,
    { env: receiver.env },
  );
  const { result } = await call(at.url, "front");
  assertEquals(result.sum, 3);
  // what replicas have not exported yet they do at their end
  await at.stop();
  const spans = receiver.spans.filter(({ traceId }) => traceId === TRACE);
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === PARENT);
  assertEquals(roots.length, 1);
  const front = spans.find(({ name, kind }) => name === "front" && kind === "server")!;
  const leaves = [0, 1, 2].map((i) => [
    `client sum.scatter sum.scatter.${i}`,
    [`server sum.scatter sum.scatter.${i}`],
  ]);
  const who = front.attributes["mp.replica"];
  assertEquals(treeOf(roots[0]!, spans), [
    "server POST ingress.0",
    [
      "internal front ingress.0",
      [
        `client front ${who}`,
        [
          `server front ${who}`,
          ["client sum.gather sum.gather.0", ["server sum.gather sum.gather.0", ...leaves]],
        ],
      ],
    ],
  ]);
  // a handler learns where it stands, and what its callers' systems added
  assertEquals(result.trace, {
    traceparent: `00-${TRACE}-${front.spanId}-01`,
    tracestate: HEADERS.tracestate,
  });
  // each replica is told from the others
  const leaf = spans.find(({ name, kind }) => name === "sum.scatter" && kind === "server")!;
  assertEquals(leaf.resource["service.name"], "sum.scatter");
  assertEquals(leaf.resource["service.namespace"], "shop");
  assertEquals(leaf.resource["service.instance.id"], leaf.attributes["mp.replica"]);
  assertMatch(String(leaf.resource["service.version"]), /^[0-9a-f]{24}$/);
  // all calls have the request id of the outer one
  const ids = spans.filter(({ kind, name }) => kind !== "client" && name !== "POST")
    .map(({ attributes }) => attributes["mp.request_id"]);
  assertEquals(new Set(ids).size, 1);
  // lines belong to the span in which they were printed
  const lines = receiver.lines.filter(({ text }) => text.includes("leaf at work"));
  assertEquals(lines.length, 3);
  for (const line of lines) {
    assertEquals(line.traceId, TRACE);
    const span = spans.find(({ spanId }) => spanId === line.spanId)!;
    assertEquals(span.attributes["mp.replica"], line.resource["service.instance.id"]);
  }
});

Deno.test("a span tells which code a call failed with, and what the handler threw", async () => {
  await using receiver = otlpReceiver();
  await using at = await launch(
    `
    const leaf = (_: unknown, { replica }: mp.Context) => {
      if (replica.index === 1) throw new Error("no prices today");
      return 1;
    };
    mp.service("sum", mp.scatter(2, leaf, (all: number[]) => all.length), { expose: true });`,
    { env: { ...receiver.env, OTEL_SERVICE_NAME: "prices", OTEL_RESOURCE_ATTRIBUTES: "team=a" } },
  );
  const { error } = await call(at.url, "sum");
  assertEquals(error.data.replica, "sum.scatter.1");
  await at.stop();
  const failed = receiver.spans.filter(({ traceId, error, attributes }) =>
    traceId === TRACE && error && attributes["error.type"] === "handler_failed"
  );
  assertEquals(
    failed.map(({ kind, name }) => `${kind} ${name}`).sort(),
    ["client sum.scatter", "internal sum.gather", "server sum.scatter"],
  );
  for (const { error, attributes, resource } of failed) {
    assertEquals(error, "no prices today");
    assertEquals(attributes["mp.failed_replica"], "sum.scatter.1");
    assertEquals([resource["service.name"], resource.team], ["prices", "a"]);
  }
  const thrown = failed.filter(({ events }) => events.includes("exception"));
  assertEquals(thrown.map(({ kind }) => kind), ["server"]);
});

Deno.test("a trace goes through where telemetry is off, and nothing of it is loaded", async () => {
  await using at = await launch(`
    const leaf = (_: unknown, { trace }: mp.Context) => trace ?? null;
    const all = mp.service("all", mp.scatter(2, leaf, (all: unknown[]) => all));
    mp.service("front", async (_: unknown, { trace }: mp.Context) => ({
      own: trace ?? null,
      all: await all.call(),
      loaded: Symbol.for("opentelemetry.js.api.1") in globalThis,
    }), { expose: true });`);
  const { result } = await call(at.url, "front");
  assertEquals(result, { own: HEADERS, all: [HEADERS, HEADERS], loaded: false });
  const none = await call(at.url, "front", {});
  assertEquals(none.result, { own: null, all: [null, null], loaded: false });
  const forged = await call(at.url, "front", { traceparent: "00-x y-z-01", tracestate: "a=b" });
  assertEquals(forged.result.all, [null, null]);
});

Deno.test("mp client begins the trace where telemetry is on", async () => {
  await using receiver = otlpReceiver();
  await using at = await launch(
    `mp.service("one", (_: unknown, { trace }: mp.Context) => trace, { expose: true });`,
    { env: receiver.env },
  );
  const { stdout, stderr, code } = await at.sandbox.run(["client", "one"], { env: receiver.env });
  assertEquals(code, 0, stderr);
  await at.stop();
  const traceId = JSON.parse(stdout).traceparent.slice(3, 35);
  const spans = receiver.spans.filter((span) => span.traceId === traceId);
  const root = spans.find(({ parentSpanId }) => parentSpanId === "");
  assert(root);
  assertNotEquals(root.resource["service.instance.id"], "one.0");
  assertEquals(spans.map(({ kind }) => kind).sort(), ["client", "internal", "server"]);
});

Deno.test("lines carry the id of the request that was answered, over all replicas", async () => {
  await using at = await launch(`
    const leaf = async (_: unknown, { replica }: mp.Context) => {
      console.log("leaf", replica.index);
      await Promise.resolve();
      console.error("two\\nlines");
      if (replica.index === 1) throw new Error("no prices today");
      return 1;
    };
    console.log("loaded");
    const prices = mp.service("prices", mp.scatter(2, leaf, (all: number[]) => all.length));
    mp.service("front", async () => {
      console.log("front");
      return await prices.call().catch(() => "none");
    }, { expose: true });`);
  const headers = { ...HEADERS, "x-request-id": "order:7" };
  assertEquals((await call(at.url, "front", headers)).result, "none");
  assertEquals((await call(at.url, "front", { "x-request-id": "other" })).result, "none");
  await at.stop();
  const logs = async (...args: string[]) => {
    const { code, stdout, stderr } = await at.sandbox.run(["logs", ...args]);
    assertEquals(code, 0, stderr);
    return stdout.trimEnd().split("\n");
  };
  const all = (await logs("--json")).map((line) => JSON.parse(line));
  const loaded = all.filter(({ text }) => text === "loaded");
  assertEquals(loaded.map(({ requestId }) => requestId), [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  const ordered = all.filter(({ requestId }) => requestId === "order:7");
  for (const { traceId } of ordered) assertEquals(traceId, TRACE);
  const shown = ordered.map(({ path, index, text }) => `${path}.${index} ${text}`);
  for (
    const line of [
      "front.0 front",
      "prices.scatter.0 leaf 0",
      "prices.scatter.1 leaf 1",
      "prices.scatter.1 two",
      "prices.scatter.1 lines",
    ]
  ) assert(shown.includes(line), `${line} is not among\n${shown.join("\n")}`);
  // the stack of what it threw, too
  assert(shown.some((line) => line.includes('"prices" (request order:7): Error: no prices today')));
  // and nothing else
  const others = all.filter(({ requestId }) => requestId === "other");
  assertEquals(others.map(({ traceId }) => traceId), others.map(() => undefined));
  const plain = await logs("--request", "order:7");
  assertEquals(plain.length, ordered.length);
  assert(plain.every((line) => !line.includes("\x1e")));
  assertEquals((await logs("--request", TRACE)).length, ordered.length);
});
