/**
 * Spans of OpenTelemetry, which Deno exports itself.
 *
 * @module
 */

import {
  type Context,
  context as active,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import config from "../../deno.json" with { type: "json" };
import { messageOf, MpError } from "../errors.ts";
import { type TraceHeaders, traceIdOf } from "./trace_headers.ts";
import type { Tracing } from "./tracing.ts";

/** Makes spans by what is registered with `@opentelemetry/api`. */
export function openTelemetry(): Tracing {
  const tracer = trace.getTracer("mp", config.version);
  return {
    answer({ from, path, replica }, call, run) {
      // a request that came in through a door has a span of Deno's, which knows its caller
      const parent = from === "door" && activeSpan() ? active.active() : contextOf(call.trace);
      const span = tracer.startSpan(path, {
        kind: from === "door" ? SpanKind.INTERNAL : SpanKind.SERVER,
        attributes: {
          "rpc.system": from === "door" ? "jsonrpc" : "mp",
          "rpc.method": call.service,
          "mp.replica": replica,
          "mp.request_id": call.requestId,
        },
      }, parent);
      const inside = trace.setSpan(parent, span);
      call.trace = new SpanTrace(span.spanContext(), inside, call.trace?.tracestate);
      return ending(span, () => active.with(inside, run));
    },
    call({ path, replica }, from, run) {
      const parent = contextOf(from);
      const span = tracer.startSpan(path, {
        kind: SpanKind.CLIENT,
        attributes: { "rpc.system": "mp", "rpc.method": path, "mp.replica": replica },
      }, parent);
      const inside = trace.setSpan(parent, span);
      return ending(span, () => run(new SpanTrace(span.spanContext(), inside, from?.tracestate)));
    },
    current() {
      const span = activeSpan();
      return span && new SpanTrace(span.spanContext(), active.active(), undefined);
    },
  };
}

function activeSpan(): Span | undefined {
  const span = trace.getActiveSpan();
  return span && trace.isSpanContextValid(span.spanContext()) ? span : undefined;
}

/** A span of this process, as the headers that tell others about it. */
class SpanTrace implements TraceHeaders {
  readonly traceparent: string;
  declare readonly tracestate?: string;
  #inside: Context;

  constructor(
    { traceId, spanId, traceFlags }: SpanContext,
    inside: Context,
    tracestate: string | undefined,
  ) {
    const flags = traceFlags.toString(16).padStart(2, "0");
    this.traceparent = `00-${traceId}-${spanId}-${flags}`;
    // Deno keeps no state of traces
    if (tracestate !== undefined) this.tracestate = tracestate;
    this.#inside = inside;
  }

  static contextOf(headers: TraceHeaders): Context | undefined {
    return #inside in headers ? headers.#inside : undefined;
  }
}

/** In which context what belongs to a trace is made. */
function contextOf(headers: TraceHeaders | undefined): Context {
  if (headers === undefined) return active.active();
  return SpanTrace.contextOf(headers) ?? trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceIdOf(headers),
    spanId: headers.traceparent.slice(36, 52),
    traceFlags: parseInt(headers.traceparent.slice(53, 55), 16) & TraceFlags.SAMPLED,
    isRemote: true,
  });
}

/** Runs something, and ends its span with what came of it. */
function ending<T>(span: Span, run: () => T): T {
  let result: T;
  try {
    result = run();
  } catch (error) {
    fail(span, error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    span.end();
    return result;
  }
  return result.then((value) => {
    span.end();
    return value;
  }, (error) => {
    fail(span, error);
    throw error;
  }) as T;
}

function fail(span: Span, error: unknown): void {
  const known = error instanceof MpError;
  span.setAttribute("error.type", known ? error.code : "handler_failed");
  if (known && error.reason !== undefined) span.setAttribute("mp.reason", error.reason);
  if (known && error.replica !== undefined) span.setAttribute("mp.failed_replica", error.replica);
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
  // what the handler threw, with its stack, where it did
  if (known && error.cause instanceof Error && !(error.cause instanceof MpError)) {
    span.recordException(error.cause);
  }
  span.end();
}
