/**
 * What the containers of a tree write, handed on as it comes.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { LogLine } from "../../runtime/launch/driver.ts";
import { containerLines } from "./containers.ts";
import type { Engine } from "./engine.ts";
import type { TrackedReplica } from "./tracked_replica.ts";

/** Options of {@linkcode LineFollower}. */
export interface LineFollowerOptions {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  onLine(line: LogLine): void;
}

/** What stands before what a replica complains of. */
const COMPLAINT = "error: ";
/** How long to wait for what was written last by a container that was started again, in milliseconds. */
const PAUSE = 100;

/** See the module's documentation. */
export class LineFollower {
  #options: LineFollowerOptions;
  /** Since when lines are followed, in nanoseconds; nothing while nobody reads them. */
  #since: bigint | undefined;
  /** From where on each container is read, in nanoseconds. */
  #next = new Map<string, bigint>();
  #following = new Set<string>();

  constructor(options: LineFollowerOptions) {
    this.#options = options;
  }

  /** Begins to hand lines on. @returns Whether it has not before. */
  begin(since: bigint): boolean {
    if (this.#since !== undefined) return false;
    this.#since = since;
    return true;
  }

  /** Hands on what a replica writes while it runs. */
  async follow(replica: TrackedReplica): Promise<void> {
    const id = replica.id;
    if (id === undefined || this.#since === undefined || this.#following.has(id)) return;
    this.#following.add(id);
    const { signal } = this.#options;
    try {
      await this.#read(replica, id, this.#next.get(id) ?? this.#since);
    } catch {
      // the container is gone, or the engine is
    } finally {
      this.#following.delete(id);
    }
    if (!replica.running || signal.aborted) return;
    // it was started again before its last lines were read
    await delay(PAUSE, { signal }).catch(() => {});
    if (replica.running && replica.id === id) this.follow(replica);
  }

  async #read(replica: TrackedReplica, id: string, since: bigint): Promise<void> {
    const { engine, signal, onLine } = this.#options;
    const { path, index } = replica;
    for await (const line of containerLines(engine, id, { follow: true, since, signal })) {
      this.#next.set(id, line.nanoseconds + 1n);
      if (line.stream === "stderr" && line.text.startsWith(COMPLAINT)) {
        replica.complaint = line.text.slice(COMPLAINT.length);
      }
      const time = Number(line.nanoseconds / 1_000_000n);
      onLine({ path, index, time, stream: line.stream, text: line.text });
    }
  }
}
