import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  otlpExporter,
  type OtlpTarget,
  otlpTarget,
} from "../../../../runtime/telemetry/export/otlp_exporter.ts";

const envOf = (values: Record<string, string>) => (name: string) => values[name];

Deno.test("otlpTarget() reads where to send, what is said of one signal first", () => {
  assertEquals(otlpTarget("traces", envOf({})), {
    url: "http://localhost:4318/v1/traces",
    headers: {},
    format: "protobuf",
    timeout: 10_000,
  });
  const env = envOf({
    OTEL_EXPORTER_OTLP_ENDPOINT: "https://all.example/otlp/",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces.example/in",
    OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b,x-other=c",
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: "x-key=logs",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_TIMEOUT: "200",
  });
  assertEquals(otlpTarget("traces", env), {
    url: "https://traces.example/in",
    headers: { "x-key": "a b", "x-other": "c" },
    format: "json",
    timeout: 200,
  });
  const { url, headers } = otlpTarget("logs", env);
  assertEquals([url, headers], ["https://all.example/otlp/v1/logs", { "x-key": "logs" }]);
});

/** An exporter of texts, and what it did. */
function exporter(fetch: typeof globalThis.fetch, target: Partial<OtlpTarget> = {}) {
  const warnings: string[] = [];
  const text = (kind: string) => ({
    serializeRequest: (items: string[]) => new TextEncoder().encode(`${kind}:${items.join()}`),
  });
  const made = otlpExporter<string>(
    { name: "traces", serializers: { json: text("json"), protobuf: text("protobuf") } },
    { url: "http://collector/v1/traces", headers: {}, format: "json", timeout: 1000, ...target },
    { fetch, warn: (text) => warnings.push(text) },
  );
  const send = (...items: string[]) =>
    new Promise<number>((resolve) => made.export(items, ({ code }) => resolve(code)));
  return { made, send, warnings };
}

const SUCCESS = 0;
const FAILED = 1;

Deno.test("otlpExporter() sends each batch in the format that was asked for", async () => {
  const got: unknown[] = [];
  const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    const { headers } = request;
    got.push([await request.text(), headers.get("content-type"), headers.get("x-key")]);
    return new Response("{}");
  };
  assertEquals(await exporter(fetch, { headers: { "x-key": "1" } }).send("a", "b"), SUCCESS);
  assertEquals(await exporter(fetch, { format: "protobuf" }).send("c"), SUCCESS);
  assertEquals(got, [
    ["json:a,b", "application/json", "1"],
    ["protobuf:c", "application/x-protobuf", null],
  ]);
});

Deno.test("otlpExporter() says once that batches are lost, and again after some were not", async () => {
  let status = 503;
  const { send, warnings } = exporter(() => Promise.resolve(new Response("", { status })));
  assertEquals([await send("a"), await send("b")], [FAILED, FAILED]);
  assertEquals(warnings, [
    "Cannot export traces to http://collector/v1/traces: it answers 503",
  ]);
  status = 200;
  assertEquals(await send("c"), SUCCESS);
  status = 401;
  assertEquals(await send("d"), FAILED);
  assertEquals(warnings.length, 2);
  assertStringIncludes(warnings[1]!, "401");
});

Deno.test("otlpExporter() waits at the end for what is under way, but not for ever", async () => {
  const late = (_: RequestInfo | URL, init?: RequestInit) =>
    new Promise<Response>((_, reject) =>
      init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason))
    );
  const { made, send, warnings } = exporter(late, { timeout: 1 });
  const sent = send("a");
  await made.forceFlush();
  assertEquals(await sent, FAILED);
  assertEquals(warnings.length, 1);
});
