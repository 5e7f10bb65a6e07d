/**
 * Takes what OpenTelemetry exports over HTTP as JSON.
 *
 * @module
 */

/** One span, as far as tests look at it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for none. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "other";
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Of what exported it. */
  readonly resource: Readonly<Record<string, unknown>>;
  /** Whether it failed, and why. */
  readonly error: string | undefined;
  /** Names of its events. */
  readonly events: readonly string[];
}

/** One exported line of a log. */
export interface ReceivedLine {
  readonly traceId: string;
  readonly spanId: string;
  readonly text: string;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A receiver on a free port. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly spans: readonly ReceivedSpan[];
  readonly lines: readonly ReceivedLine[];
  /** What a program needs in its environment to export to it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a receiver. What it is sent that it cannot read fails the test when it is disposed of. */
export function otlpReceiver(): OtlpReceiver {
  const spans: ReceivedSpan[] = [];
  const lines: ReceivedLine[] = [];
  const wrong: unknown[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const body = await request.json().catch((error) => void wrong.push(error));
      switch (new URL(request.url).pathname) {
        case "/v1/traces":
          spans.push(...readSpans(body));
          break;
        case "/v1/logs":
          lines.push(...readLines(body));
      }
      return Response.json({});
    },
  );
  return {
    spans,
    lines,
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      if (wrong.length > 0) throw wrong[0];
    },
  };
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Resource {
  readonly resource: { readonly attributes: readonly Attribute[] };
}

interface Traces {
  readonly resourceSpans: readonly (Resource & {
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  })[];
}

interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly name: string }[];
  readonly status: { readonly code: number; readonly message: string };
}

interface Logs {
  readonly resourceLogs: readonly (Resource & {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly body: { readonly stringValue: string };
      }[];
    }[];
  })[];
}

const KINDS = ["other", "internal", "server", "client"] as const;
const ERROR = 2;

function readSpans({ resourceSpans }: Traces): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans).map((
      { kind, attributes, status, events, ...span },
    ) => ({
      ...span,
      parentSpanId: span.parentSpanId ?? "",
      kind: KINDS[kind] ?? "other",
      attributes: read(attributes),
      resource: read(resource.attributes),
      error: status.code === ERROR ? status.message : undefined,
      events: events.map(({ name }) => name),
    }))
  );
}

function readLines({ resourceLogs }: Logs): ReceivedLine[] {
  return resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) => logRecords).map(({ traceId, spanId, body }) => ({
      traceId,
      spanId,
      text: body.stringValue,
      resource: read(resource.attributes),
    }))
  );
}

function read(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
