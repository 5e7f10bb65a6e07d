/**
 * Signals that ask a command to end.
 *
 * @module
 */

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** Signals that ask a command to end. */
export interface StopSignals extends Disposable {
  /** Aborts at the first; its reason is the signal's name. */
  readonly signal: AbortSignal;
}

/**
 * Takes over the signals that would end this process.
 *
 * @param again What is done at the second.
 */
export function stopSignals(again: () => void): StopSignals {
  const controller = new AbortController();
  const taken = SIGNALS.map((name) => {
    const listener = () => controller.signal.aborted ? again() : controller.abort(name);
    Deno.addSignalListener(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const { name, listener } of taken) Deno.removeSignalListener(name, listener);
    },
  };
}

/** Resolves when a signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
