/**
 * A replica's process and everything that is done to it: the effects of `lifecycle.ts`.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { Address } from "../../runtime/launch/address_book.ts";
import type { LogLine, ReplicaStatus } from "../../runtime/launch/driver.ts";
import { programToStart } from "../../runtime/launch/own_program.ts";
import { parseAddress } from "../../runtime/peer/address.ts";
import type { Channel } from "../../runtime/peer/channel.ts";
import type { ReplicaNotices, SupervisorCalls } from "../../runtime/replica/supervision.ts";
import { portInUse } from "./assign.ts";
import {
  advance,
  type Happening,
  isLeaving,
  type Life,
  type LifecyclePolicy,
  UNBORN,
} from "./lifecycle.ts";
import type { ProcessReplica } from "./manifest.ts";
import { Pulse } from "./pulse.ts";
import { ReplicaProcess } from "./replica_process.ts";

/** What a replica has around it. */
export interface Surroundings {
  /** Counts the trees of the deployment. */
  readonly tree: number;
  readonly policy: Omit<LifecyclePolicy, "stallLimit">;
  /** Whether replicas open their doors as soon as they are ready. */
  doorsOpen(): boolean;
  /** Environment that is only known when the launcher runs. Called before each start. */
  prepare(): Readonly<Record<string, string>>;
  onStatus(replica: SupervisedReplica): void;
  /** A line that it wrote. @returns A promise when no more is to be read for now. */
  onLine(line: LogLine): Promise<void> | undefined;
  /** It listens for its peers. */
  onUp(replica: SupervisedReplica): void;
  onProcess(pid: number, lives: boolean): void;
}

/** How long a replica may take, after its grace, to be gone by itself. */
const MARGIN = 250;

/** See the module's documentation. */
export class SupervisedReplica {
  readonly spec: ProcessReplica;
  /** Resolves when it is ready for the first time. @throws {MpError} `crash_loop` or what makes a launch futile. */
  readonly launched: Promise<void>;
  #around: Surroundings;
  #policy: LifecyclePolicy;
  #life: Life = UNBORN;
  #process: ReplicaProcess | undefined;
  #channel: Channel | undefined;
  #startTimer: ReturnType<typeof setTimeout> | undefined;
  #killTimer: ReturnType<typeof setTimeout> | undefined;
  #pulse: Pulse;
  #failure: ReplicaNotices["failed"] | undefined;
  /** What the process before this one said of its end. */
  #lastWords: string | undefined;
  #openDoors = new Set<Address>();
  #launching = Promise.withResolvers<void>();
  #hasLaunched = false;
  #stopped = Promise.withResolvers<void>();
  #renewed: PromiseWithResolvers<void> | undefined;

  constructor(spec: ProcessReplica, around: Surroundings) {
    this.spec = spec;
    this.#around = around;
    this.#policy = { ...around.policy, stallLimit: spec.stallLimit };
    this.#pulse = new Pulse({
      timeout: 2 * spec.stallLimit,
      onSilent: (milliseconds) => this.#happen({ kind: "silent", for: milliseconds }),
      onAnswer: () => this.#happen({ kind: "answered" }),
    });
    this.launched = this.#launching.promise;
    // whoever waits for it hears of it
    this.launched.catch(() => {});
  }

  get status(): ReplicaStatus {
    const { path, index } = this.spec;
    const { state, restarts, since, lastExit } = this.#life;
    const message = state === "crash loop" ? this.#crashLoop().message : this.#life.message;
    const pid = this.#process?.pid;
    return {
      path,
      index,
      state,
      tree: this.#around.tree,
      restarts,
      ...(pid !== undefined && { pid }),
      ...(since !== undefined && { since }),
      ...(lastExit !== undefined && { lastExit }),
      ...(message !== undefined && { message }),
    };
  }

  /** Whether it is connected to its supervisor. */
  get connected(): boolean {
    return this.#channel !== undefined;
  }

  /** Starts the process. */
  start(): void {
    this.#startTimer = undefined;
    for (const address of this.spec.sockets) removeSocket(address);
    this.#failure = undefined;
    this.#openDoors.clear();
    const { command, args, cwd, env, path, index } = this.spec;
    let prepared: Readonly<Record<string, string>>;
    let program: string;
    try {
      program = programToStart(command);
      prepared = this.#around.prepare();
    } catch (error) {
      return this.#onEnded(undefined, `cannot be started: ${messageOf(error)}`);
    }
    this.#pulse.start(performance.now());
    const process = new ReplicaProcess(
      { command: program, args, cwd, env: { ...env, ...prepared } },
      (stream, text, origin) =>
        this.#around.onLine({ path, index, time: Date.now(), stream, text, ...origin }),
    );
    this.#process = process;
    if (process.pid !== undefined) this.#around.onProcess(process.pid, true);
    process.ended.then((how) => this.#onEnded(process, how));
    this.#around.onStatus(this);
  }

  /**
   * Takes the connection over which a process says that it is this replica.
   *
   * @returns Whether it is; the process that ended before may have left a connection behind.
   */
  attach(channel: Channel, pid: number): boolean {
    if (pid !== this.#process?.pid) return false;
    this.#channel = channel;
    this.#pulse.meet(channel);
    return true;
  }

  /** Hears what the replica says over its connection. */
  hear(channel: Channel, target: string, body: string): void {
    if (channel !== this.#channel) return;
    if (target === "failed") this.#failure = JSON.parse(body);
    if (target === "ready") this.#onReady();
  }

  /** Asks something of the replica. */
  async call<Target extends keyof SupervisorCalls>(
    target: Target,
    request: SupervisorCalls[Target]["request"],
    timeout?: number,
  ): Promise<SupervisorCalls[Target]["reply"]> {
    if (!this.#channel) throw this.#gone();
    return JSON.parse(await this.#channel.call(target, JSON.stringify(request), { timeout }));
  }

  /** Whether it gives signs of life. */
  get pulse(): Pick<Pulse, "beat" | "forgive"> {
    return this.#pulse;
  }

  /** Opens the replica's doors. @throws {MpError} `port_in_use`, …. */
  async openDoors(taken: ReadonlySet<Address> = new Set()): Promise<void> {
    for (const address of this.spec.doors) {
      if (this.#openDoors.has(address)) continue;
      await this.call("listen", { address, takeOver: taken.has(address) });
      this.#openDoors.add(address);
    }
  }

  /**
   * Lets the replica answer what has come, and stops it; kills it when that takes too long.
   *
   * @param grace How long it may take, in milliseconds.
   * @param linger How long its doors go on with open connections, because another replica has taken them over.
   */
  async drain(grace: number, linger = 0): Promise<void> {
    this.#happen({ kind: "drain", again: false });
    this.#end(grace, linger);
    await this.#stopped.promise;
  }

  /** Stops the replica at once. */
  async kill(): Promise<void> {
    this.#happen({ kind: "drain", again: false });
    this.#end(0, 0);
    this.#process?.kill("SIGKILL");
    await this.#stopped.promise;
  }

  /** Stops and starts the replica. @throws {MpError} When it does not become ready again. */
  async restart(grace: number): Promise<void> {
    if (this.#life.state === "stopped" || this.#life.state === "draining") throw this.#gone();
    this.#renewed ??= Promise.withResolvers();
    const { promise } = this.#renewed;
    this.#happen({ kind: "drain", again: true });
    if (this.#process) {
      this.#end(grace, 0, true);
    } else {
      clearTimeout(this.#startTimer);
      this.#onEnded(undefined, this.#life.lastExit ?? "");
    }
    await promise;
  }

  #end(grace: number, linger: number, leave = false): void {
    const process = this.#process;
    if (process === undefined) {
      clearTimeout(this.#startTimer);
      return this.#settle();
    }
    // it may be asked to end faster than it was asked before
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => process.kill("SIGKILL"), grace + MARGIN);
    const told = this.#channel
      ? this.call("drain", { grace, linger, leave }, grace + MARGIN)
      : Promise.reject(this.#gone());
    told.catch(() => process.kill("SIGTERM"));
  }

  async #onReady(): Promise<void> {
    const process = this.#process;
    this.#around.onUp(this);
    try {
      if (this.#around.doorsOpen()) await this.openDoors();
    } catch (error) {
      if (process !== this.#process || isLeaving(this.#life)) return;
      this.#failure = await this.#doorFailure(error);
      return process?.kill("SIGKILL");
    }
    if (process === this.#process) this.#happen({ kind: "ready", now: Date.now() });
  }

  async #doorFailure(error: unknown): Promise<ReplicaNotices["failed"]> {
    const known = error instanceof MpError ? error : new MpError("launch_failed", messageOf(error));
    if (known.code !== "port_in_use") return { ...known.toData(), fatal: false };
    const parsed = this.spec.doors.map(parseAddress).find(({ transport }) => transport === "tcp");
    const named = parsed?.transport === "tcp" && await portInUse(parsed.hostname, parsed.port);
    const { code, message, next } = named || known;
    // before the first launch is over, somebody is there to choose another port
    return { code, message, next, fatal: !this.#hasLaunched };
  }

  #onEnded(process: ReplicaProcess | undefined, how: string): void {
    if (process?.pid !== undefined) this.#around.onProcess(process.pid, false);
    clearTimeout(this.#killTimer);
    this.#channel?.close();
    this.#pulse.stop();
    this.#channel = this.#process = undefined;
    const failure = this.#failure;
    this.#lastWords = failure?.message ?? process?.lastWords;
    this.#happen({
      kind: "ended",
      now: Date.now(),
      how,
      message: failure?.message,
      fatal: failure?.fatal ?? false,
      random: Math.random(),
    });
    const { state } = this.#life;
    if (state === "crash loop") this.#reject(this.#crashLoop());
    if (state === "stopped") this.#settle();
  }

  /** There will be no further process. */
  #settle(): void {
    const failure = this.#failure;
    if (this.#life.state !== "stopped") this.#change({ ...this.#life, state: "stopped" });
    this.#reject(failure?.fatal ? this.#fatal(failure) : this.#gone());
    this.#stopped.resolve();
  }

  #reject(error: MpError): void {
    this.#launching.reject(error);
    this.#renewed?.promise.catch(() => {});
    this.#renewed?.reject(error);
    this.#renewed = undefined;
  }

  #happen(happening: Happening): void {
    const { life, order } = advance(this.#life, happening, this.#policy);
    this.#change(life);
    if (order.kind === "kill") this.#process?.kill("SIGKILL");
    if (order.kind === "start") {
      this.#startTimer = setTimeout(() => this.start(), order.after);
    }
    if (happening.kind === "ready" && life.state === "ready") {
      this.#hasLaunched = true;
      this.#launching.resolve();
      this.#renewed?.resolve();
      this.#renewed = undefined;
    }
  }

  #change(life: Life): void {
    if (life === this.#life) return;
    this.#life = life;
    this.#around.onStatus(this);
  }

  #crashLoop(): MpError {
    const { lastExit, failures } = this.#life;
    const { name } = this.spec;
    const failure = this.#failure;
    const words = this.#lastWords;
    const why = words === undefined ? "" : `\n${words.replace(/^/gm, "  ")}`;
    return new MpError(
      "crash_loop",
      `Cannot keep ${name} running: ${lastExit}, ${failures} times in a row${why}`,
      {
        replica: name,
        next: failure?.next ?? `Read what it wrote: mp logs ${this.spec.env.MP_APP}`,
        reason: failure?.code,
      },
    );
  }

  #fatal({ code, message, where, next }: ReplicaNotices["failed"]): MpError {
    return new MpError(code, message, { replica: this.spec.name, where, next });
  }

  #gone(): MpError {
    const { name } = this.spec;
    return new MpError("interrupted", `Cannot start ${name}: it was stopped`, { replica: name });
  }
}

function removeSocket(address: Address): void {
  const parsed = parseAddress(address);
  if (parsed.transport !== "unix") return;
  try {
    Deno.removeSync(parsed.path);
  } catch {
    // none was left behind
  }
}
