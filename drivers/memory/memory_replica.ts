/**
 * One replica in this process: an instance of the bundle, started again whenever it ends.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type { LogLine, ReplicaStatus } from "../../runtime/launch/driver.ts";
import type { ReplicaOptions } from "../../runtime/replica/replica.ts";
import { type Replica, startReplica } from "../../runtime/replica/replica.ts";
import { positionOf } from "../../runtime/script/stack.ts";
import type { StorageDrivers } from "../../runtime/storage/lazy_storage.ts";
import { type InstanceGlobals, instanceGlobals, type RefineGlobals } from "./instance_globals.ts";
import type { LoadedForm } from "./load_form.ts";
import type { MemoryReplicaSpec } from "./manifest.ts";
import type { MemoryHost, MemoryNetwork } from "./network.ts";

/** What a replica finds around it. */
export interface MemorySurroundings extends Pick<ReplicaOptions, "api" | "secret"> {
  readonly tree: number;
  readonly app: string;
  readonly script: string;
  readonly loaded: LoadedForm;
  readonly network: MemoryNetwork;
  /** How storages are opened for a replica. */
  readonly storages: (replica: string) => StorageDrivers;
  /** What one life of a replica sees of the process, where that is less than all. */
  readonly refine?: (replica: string) => RefinedSurroundings;
  /** The process's environment, as replicas see it. */
  readonly env: Readonly<Record<string, string>>;
  book(): AddressBook;
  onLine(line: LogLine): void;
  onStatus(status: ReplicaStatus): void;
  /** It listens; its callers may connect. */
  onUp(): void;
}

/** What is left of the process. */
export interface RefinedSurroundings {
  readonly globals: RefineGlobals;
  /** Node's built-in modules, given those that would be. */
  readonly builtin: (name: string, own: (name: string) => unknown) => unknown;
}

const FIRST_DELAY = 10;
const LONGEST_DELAY = 5_000;
/** A replica that was ready for so long has recovered, in milliseconds. */
const SETTLED = 10_000;
/** So many failures in a row are a crash loop. */
const CRASH_LOOP = 5;

/** See the module's documentation. */
export class MemoryReplica {
  readonly spec: MemoryReplicaSpec;
  #surroundings: MemorySurroundings;
  #status: ReplicaStatus;
  #life: Life | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  #ready = Promise.withResolvers<void>();

  constructor(spec: MemoryReplicaSpec, surroundings: MemorySurroundings, restarts = 0) {
    this.spec = spec;
    this.#surroundings = surroundings;
    const { path, index } = spec;
    this.#status = { path, index, state: "starting", tree: surroundings.tree, restarts };
    this.#ready.promise.catch(() => {}); // told by start()
  }

  get status(): ReplicaStatus {
    return this.#status;
  }

  /** The replica, while it runs. */
  get running(): Replica | undefined {
    return this.#life?.replica;
  }

  /** What `answer` resolves to, unless the replica ends before. @throws {MpError} `replica_unreachable` */
  async whileRunning<T>(answer: (replica: Replica) => Promise<T>): Promise<T> {
    const life = this.#life;
    if (life?.replica === undefined) throw this.#unreachable("absent", "it does not run now");
    const { promise, reject } = Promise.withResolvers<never>();
    life.onEnd.add(reject);
    try {
      return await Promise.race([promise, answer(life.replica)]);
    } finally {
      life.onEnd.delete(reject);
    }
  }

  /** Resolves when it is ready, the next time if it is not now. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Evaluates the script and gets ready. @throws Whatever the script throws; {MpError} `launch_failed`, …. */
  async start(): Promise<void> {
    const { network } = this.#surroundings;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const refined = this.#surroundings.refine?.(this.spec.name);
    const life: Life = {
      globals: this.#globals(() => life, refined),
      refined,
      host: network.join(this.spec.name),
      over: false,
      onEnd: new Set(),
    };
    this.#life = life;
    this.#say({ state: "starting" });
    try {
      const replica = await startReplica(this.#options(life));
      life.replica = replica;
      if (life.over) return this.#bury(life);
      this.#surroundings.onUp();
      await replica.ready();
    } catch (error) {
      if (life.over) return this.#bury(life);
      life.over = true;
      this.#life = undefined;
      this.#bury(life);
      throw this.#cannotStart(error);
    }
    if (life.over) return;
    this.#say({ state: "ready", since: Date.now(), message: undefined });
    this.#ready.resolve();
  }

  /**
   * Ends it at once, without a word to anybody.
   *
   * @param how `killed`, `exited with 1`.
   * @param again Whether it is started again by itself.
   */
  crash(how: string, again: boolean): void {
    const life = this.#life;
    if (life === undefined || life.over) {
      if (!again) clearTimeout(this.#timer);
      return;
    }
    life.over = true;
    this.#life = undefined;
    this.#failures = Date.now() - (this.#status.since ?? Date.now()) > SETTLED
      ? 1
      : this.#failures + 1;
    this.#bury(life);
    this.#ready = Promise.withResolvers();
    this.#ready.promise.catch(() => {});
    const isLoop = this.#failures >= CRASH_LOOP;
    const state = !again ? "stopped" : isLoop ? "crash loop" : "restarting";
    this.#say({ state, lastExit: how, since: undefined });
    if (again) this.#startLater();
  }

  /** Answers what has come, and ends. @param signal Ends the waiting. */
  async drain(leave: boolean, signal: AbortSignal): Promise<void> {
    const life = this.#life;
    clearTimeout(this.#timer);
    if (life?.replica === undefined) return this.stop();
    this.#say({ state: "draining" });
    await life.replica.drain({ linger: 0, leave }, signal);
    this.stop();
  }

  /** Ends it for good. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    const life = this.#life;
    this.#life = undefined;
    if (life !== undefined) {
      life.over = true;
      this.#bury(life);
    }
    this.#ready.reject(
      new MpError("interrupted", `Cannot wait for ${this.spec.name}: it was stopped`),
    );
    if (this.#status.state !== "stopped") this.#say({ state: "stopped", since: undefined });
  }

  /** Stops it, as it were, in the middle of what it does, or lets it go on. */
  pause(paused: boolean): void {
    this.#surroundings.network.pause(this.spec.name, paused);
    this.#say({ state: paused ? "busy" : this.#life?.replica ? "ready" : "starting" });
  }

  /** Makes it start again after a while, unless it is started before. */
  #startLater(): void {
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (this.#failures - 1));
    this.#timer = setTimeout(() => this.restart(), delay * (0.5 + Math.random() / 2));
  }

  /** Starts it again; what goes wrong is tried again later. */
  async restart(): Promise<void> {
    if (this.#isOver || this.#life !== undefined) return;
    this.#say({ restarts: this.#status.restarts + 1 });
    try {
      await this.start();
    } catch (error) {
      if (this.#isOver) return;
      this.#failures++;
      const { cause = error } = error as Error;
      this.#write("stderr", `error: Cannot start ${this.spec.name}: ${stackOf(cause)}`);
      this.#say({ state: "restarting", message: messageOf(error) });
      this.#startLater();
    }
  }

  #options({ globals, refined, host }: Life): ReplicaOptions {
    const { spec } = this;
    const { app, script, book, loaded, api, secret, storages } = this.#surroundings;
    const current = book();
    return {
      identity: {
        app,
        path: spec.path,
        index: spec.index,
        name: spec.name,
        revision: current.revision,
        bundle: "",
        sourceMap: "",
        script,
        book: { text: "" },
        secret: { text: "" },
        supervisor: undefined,
        parent: undefined,
        listenHost: undefined,
        grace: 0,
        linger: 0,
      },
      book: current,
      secret,
      form: loaded.form,
      bundle: loaded.hash,
      api,
      storages: storages(spec.name),
      env: this.#env(),
      onFault: (error, { service, requestId }) =>
        this.#write(
          "stderr",
          `error: Cannot answer "${service}" (request ${requestId}): ${stackOf(error)}`,
        ),
      transport: host,
      surroundings: {
        globals: globals.globals,
        builtin: (name) => refined ? refined.builtin(name, globals.builtin) : globals.builtin(name),
      },
    };
  }

  #env(): Record<string, string> {
    return { ...this.#surroundings.env, ...this.spec.env };
  }

  #globals(life: () => Life, refined: RefinedSurroundings | undefined): InstanceGlobals {
    const ifAlive = (run: () => void) => {
      if (!life().over) run();
    };
    return instanceGlobals({
      env: this.#env(),
      onOutput: (stream, text) => ifAlive(() => this.#write(stream, text)),
      onExit: (code) => ifAlive(() => this.crash(`exited with ${code}`, true)),
      onUncaught: (error) =>
        ifAlive(() => {
          this.#write("stderr", `error: Uncaught ${stackOf(error)}`);
          this.crash("exited with 1", true);
        }),
      refine: refined?.globals,
    });
  }

  /** Closes what a life has left in this process. */
  #bury({ globals, host, replica, onEnd }: Life): void {
    globals.end();
    host.cut();
    for (const end of onEnd) end(this.#unreachable("disconnected", "it has ended"));
    replica?.close();
    replica?.scopes.close();
  }

  #cannotStart(error: unknown): MpError {
    if (error instanceof MpError) return error;
    const position = positionOf(error);
    return new MpError("launch_failed", `Cannot start ${this.spec.name}: ${messageOf(error)}`, {
      cause: error,
      replica: this.spec.name,
      ...(position && { where: `${position.file}:${position.line}:${position.column}` }),
    });
  }

  #unreachable(reason: string, why: string): MpError {
    const replica = this.spec.name;
    return new MpError("replica_unreachable", `Cannot reach ${replica}: ${why}`, {
      replica,
      reason,
    });
  }

  #write(stream: LogLine["stream"], text: string): void {
    const { path, index } = this.spec;
    for (const line of text.replace(/\n$/, "").split("\n")) {
      this.#surroundings.onLine({ path, index, time: Date.now(), stream, text: line });
    }
  }

  #say(change: Partial<ReplicaStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#surroundings.onStatus(this.#status);
  }
}

/** From one start to the next end. */
interface Life {
  readonly globals: InstanceGlobals;
  readonly refined: RefinedSurroundings | undefined;
  readonly host: MemoryHost;
  replica?: Replica;
  over: boolean;
  /** Those who wait for an answer. */
  readonly onEnd: Set<(error: MpError) => void>;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : messageOf(error);
}
