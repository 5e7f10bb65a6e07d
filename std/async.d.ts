declare module "@std/async/abortable" {
  /** The promise, or a rejection with the signal's reason as soon as it aborts. */
  export function abortable<T>(p: Promise<T>, signal: AbortSignal): Promise<T>;
  /** The iterable, ended by the signal's reason as soon as it aborts. */
  export function abortable<T>(p: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T>;
}

declare module "@std/async/deadline" {
  /** The promise, or a rejection with a `TimeoutError` (`DOMException`) after `ms` milliseconds. */
  export function deadline<T>(
    p: Promise<T>,
    ms: number,
    options?: { signal?: AbortSignal },
  ): Promise<T>;
}

declare module "@std/async/delay" {
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  export function delay(
    ms: number,
    options?: { signal?: AbortSignal; persistent?: boolean },
  ): Promise<void>;
}
