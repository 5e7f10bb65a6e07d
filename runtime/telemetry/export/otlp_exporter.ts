/**
 * Sends what OpenTelemetry's SDK has collected to a collector, by OTLP over HTTP.
 *
 * @module
 */

import { ExportResultCode, parseKeyPairsIntoRecord } from "@opentelemetry/core";
import { messageOf } from "../../errors.ts";
import type { ReadEnv } from "../../user_folders.ts";

/** What is exported. */
export interface Signal<Item> {
  /** As the collector's path and the environment's variables have it. */
  readonly name: "traces" | "logs";
  /** As `http/json` and `http/protobuf` write it. */
  readonly serializers: Readonly<
    Record<"json" | "protobuf", { serializeRequest(items: Item[]): Uint8Array | undefined }>
  >;
}

/** Where and how to send. */
export interface OtlpTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: "json" | "protobuf";
  /** In milliseconds. */
  readonly timeout: number;
}

/** What the SDK hands batches to. */
export interface OtlpExporter<Item> {
  export(items: Item[], done: (result: { code: ExportResultCode; error?: Error }) => void): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Reads where to send a signal: the variables that all of OpenTelemetry's SDKs have. */
export function otlpTarget(signal: Signal<never>["name"], env: ReadEnv): OtlpTarget {
  const read = (name: string) =>
    env(`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`) ?? env(`OTEL_EXPORTER_OTLP_${name}`);
  const base = env("OTEL_EXPORTER_OTLP_ENDPOINT") ?? "http://localhost:4318";
  const timeout = Number(read("TIMEOUT"));
  return {
    url: env(`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`) ??
      `${base.replace(/\/$/, "")}/v1/${signal}`,
    headers: parseKeyPairsIntoRecord(read("HEADERS")),
    format: read("PROTOCOL") === "http/json" ? "json" : "protobuf",
    timeout: timeout > 0 ? timeout : 10_000,
  };
}

/**
 * Sends batches of one signal.
 *
 * @param fetch Sends, in no span of its own.
 * @param warn Told when batches begin to be lost.
 */
export function otlpExporter<Item>(
  { name, serializers }: Signal<Item>,
  { url, headers, format, timeout }: OtlpTarget,
  { fetch, warn }: { readonly fetch: typeof globalThis.fetch; warn(text: string): void },
): OtlpExporter<Item> {
  const sending = new Set<Promise<void>>();
  let isLosing = false;
  const send = async (items: Item[]) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": `application/${CONTENT[format]}` },
      body: serializers[format].serializeRequest(items) as Uint8Array<ArrayBuffer>,
      signal: AbortSignal.timeout(timeout),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`it answers ${response.status}`);
  };
  return {
    export(items, done) {
      const sent = send(items).then(() => {
        isLosing = false;
        done({ code: ExportResultCode.SUCCESS });
      }, (error) => {
        if (!isLosing) warn(`Cannot export ${name} to ${url}: ${messageOf(error)}`);
        isLosing = true;
        done({ code: ExportResultCode.FAILED, error });
      });
      sending.add(sent);
      sent.finally(() => sending.delete(sent));
    },
    async forceFlush() {
      await Promise.all(sending);
    },
    async shutdown() {
      await Promise.all(sending);
    },
  };
}

const CONTENT = { json: "json", protobuf: "x-protobuf" };
