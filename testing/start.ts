/**
 * Starts a topology for a test.
 *
 * @module
 */

import type { App } from "./app.ts";
import { startMemory, type TestingParts } from "./start_memory.ts";

/** Options of `start()`. */
export interface StartOptions {
  /**
   * - `memory` (the default): replicas are instances of the script in this process; faults of every kind;
   * - `process`: replicas are processes, as under `mp run`.
   */
  readonly driver?: "memory" | "process";
  /** Numbers of replicas that differ from the script's, by path. */
  readonly replicas?: Readonly<Record<string, number>>;
  /** Environment variables of every replica, besides this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Where scopes live: as `--storage`, say `redis://127.0.0.1:6379`. Default: in this process's memory, and with
   * processes in a temporary file; never where the script says.
   */
  readonly storage?: string;
  /** The port of the door, 0 for any that is free. Default: with the memory driver none, and no door listens. */
  readonly port?: number;
  /** The app's name. Default: the script's. */
  readonly name?: string;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
}

/** `start()`, made of what `testing.ts` joins. */
export type Start = (script: string | URL, options?: StartOptions) => Promise<App>;

/** Makes `start()`. */
export function makeStart(
  parts: TestingParts,
  startProcesses: (script: string | URL, options: StartOptions) => Promise<App>,
): Start {
  return async (script, options = {}) => {
    const { driver = "memory", signal } = options;
    signal?.throwIfAborted();
    if (driver === "memory") return await startMemory(script, options, parts);
    if (driver === "process") return await startProcesses(script, options);
    throw new RangeError(
      `Cannot start with the driver ${JSON.stringify(driver)}: tests have memory and process`,
    );
  };
}
