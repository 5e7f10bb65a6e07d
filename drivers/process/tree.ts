/**
 * A tree of replicas that runs: its folder, its processes, and the socket at which they report.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { Address, AddressBook } from "../../runtime/launch/address_book.ts";
import type { LogLine, ReplicaId, ReplicaStatus } from "../../runtime/launch/driver.ts";
import { listen, tcpAddress } from "../../runtime/peer/address.ts";
import { Channel } from "../../runtime/peer/channel.ts";
import { equalInConstantTime } from "../../runtime/peer/handshake.ts";
import type { ReplicaNotices } from "../../runtime/replica/supervision.ts";
import { type LifecyclePolicy, POLICY } from "./lifecycle.ts";
import { nameOf, type ProcessManifest, type ProcessReplica } from "./manifest.ts";
import type { OrphanGuard } from "./orphan_guard.ts";
import { SupervisedReplica, type Surroundings } from "./supervised_replica.ts";
import { removeStaleFolders } from "./tree_folder.ts";
import { TreeFiles } from "./tree_files.ts";

/** Options of {@linkcode Tree}. */
export interface TreeOptions {
  readonly manifest: ProcessManifest;
  /** Counts the trees of the deployment from 1. */
  readonly number: number;
  /** Whether replicas open their doors when they are ready, or when {@linkcode Tree.openDoors} is called. */
  readonly doors: "open" | "later";
  readonly guard: OrphanGuard;
  readonly policy?: Partial<Omit<LifecyclePolicy, "stallLimit">>;
  onStatus(status: ReplicaStatus): void;
  onLine(line: LogLine): Promise<void> | undefined;
}

/** How long a replica may take to follow a new generation of the address book, in milliseconds. */
const FOLLOW_TIMEOUT = 10_000;

/** See the module's documentation. */
export class Tree {
  readonly number: number;
  #options: TreeOptions;
  #policy: Omit<LifecyclePolicy, "stallLimit">;
  #manifest: ProcessManifest;
  #files: TreeFiles;
  #replicas = new Map<string, SupervisedReplica>();
  #listener: Deno.Listener | undefined;
  #channels = new Set<Channel>();
  #doorsOpen: boolean;
  #up = new Set<SupervisedReplica>();
  #ticker: ReturnType<typeof setInterval> | undefined;
  #ticked = 0;
  #closed: Promise<void> | undefined;

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#policy = { ...POLICY, ...options.policy };
    this.number = options.number;
    this.#manifest = options.manifest;
    this.#doorsOpen = options.doors === "open";
    this.#files = new TreeFiles(options.manifest);
  }

  get manifest(): ProcessManifest {
    return this.#manifest;
  }

  /** Starts all replicas. @throws {MpError} `state_unwritable` when its folder cannot be written. */
  start(): void {
    this.#files.make();
    this.#listener = listen(this.#manifest.supervisor);
    this.#accept(this.#listener);
    this.#ticked = performance.now();
    this.#ticker = setInterval(() => this.#tick(), this.#policy.busyAfter);
    for (const spec of this.#manifest.replicas) this.#add(spec);
  }

  /** Resolves when every replica has been ready once. @throws {MpError} `crash_loop`, …. */
  async ready(): Promise<void> {
    await Promise.all([...this.#replicas.values()].map((replica) => replica.launched));
  }

  status(): ReplicaStatus[] {
    return [...this.#replicas.values()].map((replica) => replica.status);
  }

  /** Opens all doors; those in `taken` are taken over from the replica that has them now. */
  async openDoors(taken: ReadonlySet<Address>): Promise<void> {
    this.#doorsOpen = true;
    for (const replica of this.#withDoors()) await replica.openDoors(taken);
  }

  /** Stops the replicas with doors. */
  async closeDoors(grace: number): Promise<void> {
    await Promise.all(this.#withDoors().map((replica) => replica.drain(grace)));
  }

  /** Starts the replicas with doors anew after {@linkcode closeDoors}. */
  reopenDoors(): void {
    for (const { spec } of this.#withDoors()) this.#add(spec);
  }

  #withDoors(): SupervisedReplica[] {
    return [...this.#replicas.values()].filter(({ spec }) => spec.doors.length > 0);
  }

  /** Stops and starts one replica. @throws {MpError} When there is none, or it does not become ready. */
  async restart(id: ReplicaId, grace: number): Promise<void> {
    const replica = this.#replicas.get(nameOf(id));
    if (replica) return await replica.restart(grace);
    throw new MpError(
      "deployment_not_found",
      `Cannot restart ${nameOf(id)}: there is no such replica`,
      {
        next: "See what runs with mp ps",
      },
    );
  }

  /**
   * Adds and removes replicas, so that the tree is as in `manifest`.
   *
   * @throws {MpError} When an added replica does not become ready; the tree is as before.
   */
  async scale(manifest: ProcessManifest, grace: number): Promise<void> {
    const before = this.#manifest;
    const added = manifest.replicas.filter(({ name }) => !this.#replicas.has(name));
    const kept = new Set(manifest.replicas.map(({ name }) => name));
    const removed = [...this.#replicas.values()].filter(({ spec }) => !kept.has(spec.name));
    // the address book names what is added only once it answers, and what is removed no longer when it drains
    this.#manifest = manifest;
    this.#files.follow(manifest.book);
    const fresh = added.map((spec) => this.#add(spec));
    try {
      await Promise.all(fresh.map((replica) => replica.launched));
    } catch (error) {
      // those that started meanwhile know a generation that is to be followed by a newer one
      const book = { ...before.book, generation: manifest.book.generation + 1 };
      this.#manifest = { ...before, book };
      this.#files.follow(book);
      await this.#drop(fresh, 0);
      throw error;
    }
    await this.#push(manifest.book);
    await this.#drop(removed, grace);
  }

  /** Lets all replicas answer what has come, stops them, and removes the folder. */
  async drain(grace: number, linger = 0): Promise<void> {
    await this.#close((replica) => replica.drain(grace, linger));
  }

  /** Stops all replicas at once, and removes the folder. */
  async kill(): Promise<void> {
    await this.#close((replica) => replica.kill());
  }

  async #close(stop: (replica: SupervisedReplica) => Promise<void>): Promise<void> {
    // being stopped at once overtakes being drained
    const stops = [...this.#replicas.values()].map(stop);
    await (this.#closed ??= Promise.all(stops).then(async () => {
      clearInterval(this.#ticker);
      this.#listener?.close();
      for (const channel of this.#channels) channel.close();
      await Promise.all([...this.#channels].map((channel) => channel.closed));
      this.#files.remove();
      // what others left is nothing to wait for when a tree starts
      await removeStaleFolders(this.#manifest.folder).catch(() => {});
    }));
  }

  #add(spec: ProcessReplica): SupervisedReplica {
    const { number, guard, onStatus, onLine } = this.#options;
    const surroundings: Surroundings = {
      tree: number,
      policy: this.#policy,
      doorsOpen: () => this.#doorsOpen,
      prepare: () => {
        this.#files.restore();
        return { MP_PARENT_PID: String(Deno.pid), MP_SUPERVISOR: this.#supervisorAddress() };
      },
      onStatus: (replica) => onStatus(replica.status),
      onLine,
      onUp: (replica) => this.#announce(replica),
      onProcess: (pid, lives) => lives ? void guard.watch(pid) : guard.forget(pid),
    };
    const replica = new SupervisedReplica(spec, surroundings);
    this.#replicas.set(spec.name, replica);
    replica.start();
    return replica;
  }

  async #drop(replicas: readonly SupervisedReplica[], grace: number): Promise<void> {
    await Promise.all(replicas.map(async (replica) => {
      await (grace > 0 ? replica.drain(grace) : replica.kill());
      this.#replicas.delete(replica.spec.name);
    }));
  }

  #supervisorAddress(): Address {
    const { supervisor } = this.#manifest;
    const addr = this.#listener?.addr;
    return addr?.transport === "tcp" ? tcpAddress("127.0.0.1", addr.port) : supervisor;
  }

  async #accept(listener: Deno.Listener): Promise<void> {
    try {
      for await (const conn of listener) this.#meet(conn);
    } catch {
      // it was closed
    }
  }

  /** Listens to a process until it has said which replica it is, and then on its behalf. */
  #meet(conn: Deno.Conn): void {
    let replica: SupervisedReplica | undefined;
    const channel: Channel = new Channel(conn, {
      onNotice: (target, body) => {
        if (replica) return replica.hear(channel, target, body);
        replica = target === "hello" ? this.#recognize(channel, JSON.parse(body)) : undefined;
        if (!replica) channel.close();
      },
      onClose: () => this.#channels.delete(channel),
    }, { name: "a replica" });
    this.#channels.add(channel);
  }

  #recognize(
    channel: Channel,
    { replica: name, pid, secret }: ReplicaNotices["hello"],
  ): SupervisedReplica | undefined {
    const replica = this.#replicas.get(name);
    const belongs = equalInConstantTime(String(secret), this.#files.secret);
    return belongs && replica?.attach(channel, pid) ? replica : undefined;
  }

  /** Tells the callers of a replica to connect; those of all that come up in this turn at once. */
  #announce(replica: SupervisedReplica): void {
    if (this.#up.size === 0) queueMicrotask(() => this.#announceAll());
    this.#up.add(replica);
  }

  #announceAll(): void {
    const up = [...this.#up].map(({ spec }) => spec);
    this.#up.clear();
    for (const replica of this.#replicas.values()) {
      if (!replica.connected) continue;
      const { name } = replica.spec;
      const names = up.filter((spec) => spec.name !== name)
        .filter(({ callers }) => callers === "all" || callers.includes(name))
        .map((spec) => spec.name);
      // who does not hear of it tries again by itself
      if (names.length > 0) replica.call("up", names).catch(() => {});
    }
  }

  /** Gives all replicas the new address book. Those that do not take it now read it when they start. */
  async #push(book: AddressBook): Promise<void> {
    const connected = [...this.#replicas.values()].filter((replica) => replica.connected);
    await Promise.allSettled(
      connected.map((replica) => replica.call("book", book, FOLLOW_TIMEOUT)),
    );
  }

  #tick(): void {
    const now = performance.now();
    const late = now - this.#ticked > 2 * this.#policy.busyAfter;
    this.#ticked = now;
    for (const { pulse } of this.#replicas.values()) {
      // a launcher that was stopped itself has no right to call others silent
      if (late) pulse.forgive(now);
      pulse.beat(now);
    }
  }
}
