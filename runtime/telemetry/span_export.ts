/**
 * Whether this process exports what telemetry it has, and by whom: by Deno, or, where Deno does not, by
 * OpenTelemetry's SDK.
 *
 * @module
 */

/** Where `@opentelemetry/api` keeps what is registered with it; Deno itself does so where it exports. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

let flush: (() => Promise<void>) | undefined;

/** Whether something takes spans. */
export function takesSpans(): boolean {
  return REGISTERED in globalThis;
}

/**
 * Starts the export where `OTEL_DENO=true` asks for it and Deno does not do it: Deno decides for an
 * executable when it compiles it. To be called before there is a server.
 */
export async function startSpanExport(
  env = (name: string) => Deno.env.get(name) || undefined,
): Promise<void> {
  const isOn = (name: string) => /^(1|true)$/i.test(env(name) ?? "");
  if (takesSpans() || !isOn("OTEL_DENO") || isOn("OTEL_SDK_DISABLED")) return;
  const { startExport } = await import("./export/start_export.ts");
  flush = startExport(env);
}

/** Sends what has not been sent yet. Deno does so by itself when the process ends. */
export async function flushSpans(): Promise<void> {
  await flush?.();
}
