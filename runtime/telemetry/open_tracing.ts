/**
 * Whether calls are traced.
 *
 * @module
 */

import { startSpanExport, takesSpans } from "./span_export.ts";
import type { Tracing } from "./tracing.ts";

/**
 * Opens the tracing of this process. Nothing is loaded unless something would take the spans, as with
 * `OTEL_DENO=true`.
 */
export async function openTracing(): Promise<Tracing | undefined> {
  await startSpanExport();
  if (!takesSpans()) return undefined;
  const { openTelemetry } = await import("./open_telemetry.ts");
  return openTelemetry();
}
