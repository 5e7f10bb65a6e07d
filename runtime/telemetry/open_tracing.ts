/**
 * Whether calls are traced.
 *
 * @module
 */

import type { Tracing } from "./tracing.ts";

/** Where `@opentelemetry/api` keeps what is registered with it; Deno itself does so where it exports. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

/**
 * Opens the tracing of this process. Nothing is loaded unless something would take the spans, which Deno
 * does with `OTEL_DENO=true`.
 */
export async function openTracing(): Promise<Tracing | undefined> {
  if (!(REGISTERED in globalThis)) return undefined;
  const { openTelemetry } = await import("./open_telemetry.ts");
  return openTelemetry();
}
