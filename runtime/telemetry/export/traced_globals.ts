/**
 * Spans of requests that come in and go out, and lines of the console as logs: what Deno does by itself
 * where it exports.
 *
 * @module
 */

import {
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
} from "@opentelemetry/api";
import { trace } from "@opentelemetry/api";
import { messageOf } from "../../errors.ts";

type Handler = Deno.ServeHandler<Deno.Addr>;

const HEADERS: TextMapGetter<Headers> = {
  keys: (headers) => [...headers.keys()],
  get: (headers, name) => headers.get(name) ?? undefined,
};

/** Makes a span of each request that a handler answers, named after its method. */
export function traceHandler(handler: Handler, tracer: Tracer): Handler {
  return (request, info) => {
    const { method, headers, url } = request;
    const parent = propagation.extract(context.active(), headers, HEADERS);
    const { pathname, protocol } = new URL(url);
    const attributes = {
      "http.request.method": method,
      "url.full": url,
      "url.path": pathname,
      "url.scheme": protocol.slice(0, -1),
    };
    const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
    return inSpan(span, parent, () => handler(request, info));
  };
}

/** Makes a span of each request that is sent, which learns of it by `traceparent`. */
export function traceFetch(fetch: typeof globalThis.fetch, tracer: Tracer): typeof fetch {
  return (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = request?.url ?? String(input);
    const method = (init?.method ?? request?.method ?? "GET").toUpperCase();
    const parent = context.active();
    const attributes = { "http.request.method": method, "url.full": url };
    const span = tracer.startSpan(method, { kind: SpanKind.CLIENT, attributes }, parent);
    const headers = new Headers(init?.headers ?? request?.headers);
    const { traceId, spanId, traceFlags } = span.spanContext();
    headers.set("traceparent", `00-${traceId}-${spanId}-0${traceFlags & 1}`);
    return inSpan(span, parent, async () => await fetch(input, { ...init, headers }));
  };
}

async function inSpan(
  span: Span,
  parent: ReturnType<typeof context.active>,
  run: () => Response | Promise<Response>,
): Promise<Response> {
  try {
    const response = await context.with(trace.setSpan(parent, span), run);
    span.setAttribute("http.response.status_code", response.status);
    if (response.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    return response;
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
    span.setAttribute("error.type", error instanceof Error ? error.name : "unknown");
    throw error;
  } finally {
    span.end();
  }
}
