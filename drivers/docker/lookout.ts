/**
 * Looks at the replicas of a tree until all are ready, from within one of its containers.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { lookFrom } from "./containers.ts";
import type { Engine } from "./engine.ts";
import type { TrackedReplica } from "./tracked_replica.ts";

/** Options of {@linkcode Lookout}. */
export interface LookoutOptions {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  /** By path and index. */
  readonly replicas: ReadonlyMap<string, TrackedReplica>;
  /** How replicas are started. */
  command(): readonly string[];
  onChange(replica: TrackedReplica): void;
}

/** How long one look may take, in milliseconds; then there is another one. */
const LOOK = 10_000;
const PAUSE = 50;

/** See the module's documentation. */
export class Lookout {
  #options: LookoutOptions;
  #looking = false;

  constructor(options: LookoutOptions) {
    this.#options = options;
  }

  /** Looks until all that run are ready. Does nothing while that is done already. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { signal, replicas } = this.#options;
    try {
      while (!signal.aborted) {
        const running = [...replicas.values()].filter((replica) => replica.running);
        if (running.every(({ state }) => state === "ready")) break;
        try {
          await this.once();
        } catch {
          // the container from which it was looked has ended
        }
        await delay(PAUSE, { signal }).catch(() => {});
      }
    } finally {
      this.#looking = false;
    }
  }

  /**
   * Looks once.
   *
   * @param milliseconds How long to wait for those that are not ready.
   */
  async once(milliseconds = LOOK): Promise<void> {
    const { engine, signal, replicas, command, onChange } = this.#options;
    const all = [...replicas.values()];
    const from = all.find(({ state, running }) => running && state === "ready") ??
      all.find(({ running }) => running);
    if (from?.id === undefined) return;
    for await (const sighting of lookFrom(engine, from.id, command(), { milliseconds, signal })) {
      const replica = replicas.get(`${sighting.path}.${sighting.index}`);
      if (replica === undefined) continue;
      const before = JSON.stringify(replica.status);
      replica.seen(sighting, Date.now());
      if (JSON.stringify(replica.status) !== before) onChange(replica);
    }
  }
}
