/**
 * Ends what callers send who take too long. Deno 2.8.3 never gives back what it holds for a body that is
 * answered before it has come, 60 KB or so; so the body is ended first, and then answered.
 *
 * @module
 */

import { eachConnection } from "./door_connections.ts";

/** How long those who are late are collected, in milliseconds: to find one costs as much as to find all. */
const COLLECT = 50;

/** See the module's documentation. */
export interface CutOff {
  /**
   * Ends what a caller sends.
   *
   * @param callerPort The caller's port.
   * @param onMissing Called when there is no such connection, or the system has no way.
   */
  end(callerPort: number, onMissing: () => void): void;
  /** Ends nothing any more. */
  close(): void;
}

/** Makes it for the connections of a port. */
export function cutOff(port: number): CutOff {
  const late = new Map<number, () => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const endAll = () => {
    timer = undefined;
    eachConnection(port, (connection) => {
      if (late.delete(connection.callerPort)) connection.end("receiving");
    });
    const missing = [...late.values()];
    late.clear();
    for (const onMissing of missing) onMissing();
  };
  return {
    end(callerPort, onMissing) {
      late.set(callerPort, onMissing);
      timer ??= setTimeout(endAll, COLLECT);
    },
    close() {
      clearTimeout(timer);
      late.clear();
    },
  };
}
