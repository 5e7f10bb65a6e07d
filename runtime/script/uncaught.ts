/**
 * Errors that nobody caught.
 *
 * @module
 */

/** How an error came to be uncaught. */
export type UncaughtKind = "error" | "rejection";

/**
 * Takes errors and rejections that neither the script nor a package of it catches or listens for. The
 * process goes on afterwards, unless `take` ends it.
 *
 * Deno would print them with lines of the bundle; with lines of the user's they are printed by `take`.
 *
 * @returns Takes it back.
 */
export function takeUncaught(take: (error: unknown, kind: UncaughtKind) => void): () => void {
  const listen = (event: ErrorEvent | PromiseRejectionEvent) => {
    // listeners in Node's way are called after all others, and only when these have not dealt with it
    if (hasNodeListeners("reason" in event)) return;
    let handled = event.defaultPrevented;
    event.preventDefault();
    // listeners that come later say in the same way that they have dealt with it
    Object.defineProperty(event, "preventDefault", { value: () => void (handled = true) });
    const [error, kind] = "reason" in event
      ? [event.reason, "rejection"] as const
      : [event.error, "error"] as const;
    queueMicrotask(() => {
      if (!handled) take(error, kind);
    });
  };
  globalThis.addEventListener("error", listen);
  globalThis.addEventListener("unhandledrejection", listen);
  return () => {
    globalThis.removeEventListener("error", listen);
    globalThis.removeEventListener("unhandledrejection", listen);
  };
}

function hasNodeListeners(isRejection: boolean): boolean {
  return process.listenerCount("uncaughtException") > 0 ||
    (isRejection && process.listenerCount("unhandledRejection") > 0);
}
