/**
 * The pods of a deployment as they change, for those who wait for something of them.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { DeploymentEvent } from "../../runtime/launch/driver.ts";
import { feed } from "../../runtime/launch/feed.ts";
import { follow } from "./api/follow.ts";
import type { KubeClient } from "./api/kube_client.ts";
import { selectorOf } from "./labels.ts";
import { PodBoard, type Seen } from "./pod_board.ts";
import { POD, type Pod } from "./pod_status.ts";

/** Options of {@linkcode PodWatch}. */
export interface PodWatchOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly app: string;
  /** Ends what waits. */
  readonly signal: AbortSignal | undefined;
  /** Told of all pods after each change. */
  onSeen(seen: readonly Seen[]): void;
}

/** See the module's documentation. */
export class PodWatch {
  readonly board = new PodBoard();
  #options: PodWatchOptions;
  #events = feed<DeploymentEvent>();
  #told = new Map<string, string>();
  #watching = new AbortController();
  #watched: Promise<void> | undefined;
  /** Why pods cannot be watched any more. */
  #fault: unknown;
  #waiting = new Set<() => void>();
  #over = false;

  constructor(options: PodWatchOptions) {
    this.#options = options;
  }

  /** Begins to look. */
  start(): void {
    this.#watched ??= this.#watch();
  }

  /** Aborts when nothing is watched any more. */
  get signal(): AbortSignal {
    return this.#watching.signal;
  }

  /** What changes of replicas. */
  events(signal?: AbortSignal): AsyncIterable<DeploymentEvent> {
    return this.#events.read(signal);
  }

  /** Whether the deployment is deleted, or left. */
  get over(): boolean {
    return this.#over || this.#watching.signal.aborted;
  }

  /** Tells all who wait that the deployment is over. */
  cease(): void {
    this.#over = true;
    this.wake();
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.#watching.abort();
    this.wake();
    await this.#watched;
  }

  /** Ends the events; what was told before is read. */
  endEvents(): void {
    this.#events.end();
  }

  /** Has all who wait look again. */
  wake(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }

  /** Resolves when something is so; looks again whenever pods change. */
  async until(holds: () => boolean | Promise<boolean>, signal?: AbortSignal): Promise<void> {
    const { app, signal: own } = this.#options;
    const aborted = AbortSignal.any([...(signal ? [signal] : []), ...(own ? [own] : [])]);
    for (;;) {
      if (this.over) throw ended(app);
      aborted.throwIfAborted();
      const changed = Promise.withResolvers<void>();
      const wake = () => changed.resolve();
      this.#waiting.add(wake);
      aborted.addEventListener("abort", wake, { once: true });
      try {
        if (this.#fault !== undefined) throw this.#fault;
        if (await holds()) return;
        await changed.promise;
      } finally {
        this.#waiting.delete(wake);
        aborted.removeEventListener("abort", wake);
      }
    }
  }

  /** Tells what has changed of each replica. */
  tell(): void {
    for (const status of this.board.statuses()) {
      const key = `${status.tree} ${status.path}.${status.index}`;
      const text = JSON.stringify(status);
      if (this.#told.get(key) === text) continue;
      this.#told.set(key, text);
      this.#events.put({ ...status, time: Date.now() });
    }
  }

  async #watch(): Promise<void> {
    const { client, namespace, app, onSeen } = this.#options;
    const options = { namespace, labels: selectorOf({ app }), signal: this.#watching.signal };
    try {
      for await (const pods of follow<Pod>(client, POD, options)) {
        this.board.take(pods);
        onSeen(this.board.seen);
        this.tell();
        this.wake();
      }
    } catch (error) {
      this.#fault = error;
      this.wake();
    }
  }
}

/** The error of those who still wait. */
export function ended(app: string): MpError {
  return new MpError("deployment_not_found", `Cannot go on with "${app}": it is deleted`);
}
