/**
 * Exports spans and lines of logs by OpenTelemetry's SDK for JavaScript, in place of Deno's own exporter.
 *
 * @module
 */

import { format } from "node:util";
import { context, logs, propagation, SeverityNumber, trace, type Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
} from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import config from "../../../deno.json" with { type: "json" };
import type { ReadEnv } from "../../user_folders.ts";
import { otlpExporter, otlpTarget } from "./otlp_exporter.ts";
import { readSampler } from "./read_sampler.ts";
import { traceFetch, traceHandler } from "./traced_globals.ts";

/** How long what is left may take to leave at the end, in milliseconds. */
const LAST = 3000;

/**
 * Registers the SDK, and changes the globals so that requests and the console are seen.
 *
 * @returns Sends what has not been sent yet.
 */
export function startExport(env: ReadEnv): () => Promise<void> {
  const { fetch } = globalThis;
  // the console is changed below, and what is lost is not to be exported
  const { error } = console;
  const using = { fetch, warn: (text: string) => error(`warning: ${text}`) };
  const resource = defaultResource().merge(detectResources({ detectors: [envDetector] }));
  const delay = (name: string) => {
    const scheduledDelayMillis = Number(env(name));
    return scheduledDelayMillis > 0 ? { scheduledDelayMillis } : {};
  };
  const tracers = new TracerProvider({
    resource,
    sampler: readSampler(env),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: otlpExporter(
          {
            name: "traces",
            serializers: { json: JsonTraceSerializer, protobuf: ProtobufTraceSerializer },
          },
          otlpTarget("traces", env),
          using,
        ),
        ...delay("OTEL_BSP_SCHEDULE_DELAY"),
      }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(tracers);
  traceGlobals(tracers.getTracer("mp", config.version));
  const lines = captureConsole(resource, env, using, delay("OTEL_BLRP_SCHEDULE_DELAY"));
  return async () => {
    const timeoutMillis = LAST;
    await Promise.allSettled([
      tracers.forceFlush({ timeoutMillis }),
      lines?.forceFlush({ timeoutMillis }),
    ]);
  };
}

function traceGlobals(tracer: Tracer): void {
  globalThis.fetch = traceFetch(globalThis.fetch, tracer);
  const { serve } = Deno;
  type Serve = (...args: unknown[]) => unknown;
  const traced: Serve = (...args) => {
    const at = args.findIndex((arg) => typeof arg === "function");
    const handler = args[at] as Parameters<typeof traceHandler>[0] | undefined;
    if (handler !== undefined) args[at] = traceHandler(handler, tracer);
    return (serve as Serve)(...args);
  };
  Deno.serve = traced as typeof serve;
}

/** What of the console makes lines, and how severe they are. */
const SEVERITIES = {
  debug: SeverityNumber.DEBUG,
  log: SeverityNumber.INFO,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const;

/** Exports what is printed on the console; it is printed as well unless `OTEL_DENO_CONSOLE` is `replace`. */
function captureConsole(
  resource: Resource,
  env: ReadEnv,
  using: Parameters<typeof otlpExporter>[2],
  delay: { readonly scheduledDelayMillis?: number },
): LoggerProvider | undefined {
  const mode = env("OTEL_DENO_CONSOLE");
  if (mode === "ignore") return undefined;
  const provider = new LoggerProvider({
    resource,
    processors: [
      new BatchLogRecordProcessor({
        exporter: otlpExporter(
          {
            name: "logs",
            serializers: { json: JsonLogsSerializer, protobuf: ProtobufLogsSerializer },
          },
          otlpTarget("logs", env),
          using,
        ),
        ...delay,
      }),
    ],
  });
  logs.setGlobalLoggerProvider(provider);
  const logger = provider.getLogger("console");
  for (const [name, severityNumber] of Object.entries(SEVERITIES)) {
    const method = name as keyof typeof SEVERITIES;
    const print = console[method].bind(console);
    console[method] = (...args: unknown[]) => {
      if (mode !== "replace") print(...args);
      const severityText = method === "log" ? "INFO" : method.toUpperCase();
      logger.emit({ body: format(...args), severityNumber, severityText });
    };
  }
  return provider;
}
