/**
 * A connection that is made when it is needed, and again after it is lost, with growing pauses.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { delay } from "@std/async/delay";

/** The shortest and the longest pause between two attempts, in milliseconds. */
const PAUSES = [50, 1_000] as const;

/** How to connect, and what to say when that is not possible. */
export interface LastingConnectionOptions<T> {
  connect(signal: AbortSignal): Promise<T>;
  disconnect(connection: T): void | Promise<void>;
  /** The error for a caller, given why there is no connection. */
  unreachable(cause: unknown): Error;
  closed(): Error;
}

/** See the module. */
export interface LastingConnection<T> {
  /**
   * The connection, or one that is made now.
   *
   * An attempt is shared by all who wait for it. The first after a failed one begins after a pause; so without a signal
   * this ends after one pause and one attempt.
   */
  get(signal?: AbortSignal): Promise<T>;
  /** Says that a connection is of no use any more. */
  lost(connection: T): void;
  close(): Promise<void>;
}

export function lastingConnection<T>(options: LastingConnectionOptions<T>): LastingConnection<T> {
  const { connect, disconnect, unreachable, closed } = options;
  const closing = new AbortController();
  let current: T | undefined;
  let attempt: Promise<T> | undefined;
  let failures = 0;
  let lastFailure: { readonly cause: unknown; readonly at: number } | undefined;

  async function tryToConnect(): Promise<T> {
    try {
      if (lastFailure !== undefined) {
        const longest = Math.min(PAUSES[1], PAUSES[0] * 2 ** failures);
        const pause = lastFailure.at + longest * (0.5 + Math.random() / 2) - performance.now();
        if (pause > 0) await delay(pause, { signal: closing.signal });
      }
      const connection = await connect(closing.signal);
      if (closing.signal.aborted) {
        await disconnect(connection);
        throw closed();
      }
      failures = 0;
      lastFailure = undefined;
      return current = connection;
    } catch (cause) {
      if (closing.signal.aborted) throw closed();
      failures++;
      lastFailure = { cause, at: performance.now() };
      throw unreachable(cause);
    } finally {
      attempt = undefined;
    }
  }

  async function get(signal?: AbortSignal): Promise<T> {
    if (closing.signal.aborted) throw closed();
    if (current !== undefined) return current;
    attempt ??= tryToConnect();
    if (signal === undefined) return await attempt;
    // the attempt goes on for others when this caller's time is over
    attempt.catch(() => {});
    try {
      return await abortable(attempt, signal);
    } catch (error) {
      throw signal.aborted ? unreachable(lastFailure?.cause ?? signal.reason) : error;
    }
  }

  function lost(connection: T): void {
    if (current === connection) current = undefined;
    void disconnect(connection);
  }

  async function close(): Promise<void> {
    closing.abort();
    await attempt?.catch(() => {});
    const connection = current;
    current = undefined;
    if (connection !== undefined) await disconnect(connection);
  }

  return { get, lost, close };
}
