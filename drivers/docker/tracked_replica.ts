/**
 * What is known of one replica from what the engine tells of its container.
 *
 * @module
 */

import type { ReplicaId, ReplicaState, ReplicaStatus } from "../../runtime/launch/driver.ts";
import type { FATAL_EXIT } from "../../runtime/replica/environment.ts";
import type { Sighting } from "../../runtime/replica/probe.ts";
import type { InspectedContainer } from "./containers.ts";

const FATAL: FATAL_EXIT = 78;
/** So many failures in a row are a crash loop. */
const CRASH_LOOP = 5;
/** A replica that was ready for so long has recovered, in milliseconds. */
const SETTLED = 10_000;

/** See the module's documentation. */
export class TrackedReplica implements ReplicaId {
  readonly path: string;
  readonly index: number;
  readonly tree: number;
  /** Its container, once there is one. */
  id: string | undefined;
  /** Whether its container runs. */
  running = false;
  /** Whether it is stopped on purpose. */
  stopping = false;
  /** How often it failed in a row, without having recovered. */
  failures = 0;
  /** Whether it would fail in the same way again. */
  fatal = false;
  /** Whether the engine has ended it for want of memory. */
  outOfMemory = false;
  /** The last error that it wrote. */
  complaint: string | undefined;
  state: ReplicaState = "starting";
  #restarts = 0;
  #since: number | undefined;
  #lastExit: string | undefined;
  #message: string | undefined;
  #started = false;
  /** Since when it is taken to be ready, where it was taken up. */
  #readySince: number | undefined;

  constructor({ path, index }: ReplicaId, tree: number, id?: string) {
    this.path = path;
    this.index = index;
    this.tree = tree;
    this.id = id;
  }

  get name(): string {
    return `${this.path}.${this.index}`;
  }

  get status(): ReplicaStatus {
    return {
      path: this.path,
      index: this.index,
      state: this.state,
      tree: this.tree,
      restarts: this.#restarts,
      ...(this.#since !== undefined && { since: this.#since }),
      ...(this.#lastExit !== undefined && { lastExit: this.#lastExit }),
      ...(this.#message !== undefined && { message: this.#message }),
    };
  }

  /** Why it does not run, for a person. */
  get trouble(): string {
    return this.#message ?? this.#lastExit ?? "it does not answer";
  }

  /** Another container takes the place of the one that it had, or its own is to start again. */
  renew(): void {
    this.running =
      this.stopping =
      this.fatal =
      this.#started =
        false;
    this.failures = 0;
    this.state = "starting";
  }

  /** Its container was started. */
  started(): void {
    if (this.running) return;
    if (this.#started) this.#restarts++;
    this.#started = this.running = true;
    this.outOfMemory = false;
    this.#since = this.#readySince = undefined;
    if (this.state !== "crash loop") this.state = "starting";
  }

  /** Its container has ended. */
  ended(exitCode: number, now: number): void {
    this.running = false;
    const settled = this.#since !== undefined && now - this.#since >= SETTLED;
    this.#since = undefined;
    this.#lastExit = this.outOfMemory
      ? "killed for want of memory"
      : exitCode === 137
      ? "killed by SIGKILL"
      : `exited with ${exitCode}`;
    if (this.stopping) {
      this.state = this.state === "restarting" ? "restarting" : "stopped";
      return;
    }
    this.failures = settled ? 1 : this.failures + 1;
    this.fatal = exitCode === FATAL;
    this.#message = this.outOfMemory
      ? "it needed more memory than its resources allow"
      : this.complaint;
    this.state = this.failures >= CRASH_LOOP ? "crash loop" : "restarting";
  }

  /** A probe has seen it. */
  seen({ state, missing }: Sighting, now: number): void {
    if (!this.running || this.stopping) return;
    if (state === "ready") {
      this.#since ??= this.#readySince ?? now;
      this.#message = undefined;
      this.complaint = undefined;
      this.state = "ready";
    } else if (state === "busy") {
      this.state = "busy";
    } else if (this.state !== "crash loop") {
      this.state = "starting";
      this.#message = missing?.length ? `waits for ${missing.join(", ")}` : undefined;
    }
  }

  /** Its container is as the engine says. */
  adopt({ State: state, RestartCount }: InspectedContainer, now: number): void {
    this.#restarts = Math.max(this.#restarts, RestartCount);
    this.#started = true;
    if (state.Running && !state.Restarting) {
      this.running = true;
      // how long it took to become ready nobody knows any more
      this.#readySince ??= Date.parse(state.StartedAt) || undefined;
      return;
    }
    if (this.running || this.#lastExit === undefined) {
      this.outOfMemory = state.OOMKilled;
      this.running = true;
      this.ended(state.ExitCode, now);
    }
    if (!state.Restarting && !this.stopping) this.state = "stopped";
  }
}
