/**
 * One tree of replicas in an engine: its network, its volume, its containers, and what is known of them.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { delay } from "@std/async/delay";
import { MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type {
  DeploymentNote,
  LogLine,
  ReplicaId,
  ReplicaStatus,
} from "../../runtime/launch/driver.ts";
import type { RunnableImage } from "./container_body.ts";
import {
  createContainer,
  inspectContainer,
  listContainers,
  removeContainer,
  renameContainer,
  startContainer,
  stopContainer,
} from "./containers.ts";
import type { Engine } from "./engine.ts";
import { containerFault } from "./engine_faults.ts";
import { inGroups } from "./in_groups.ts";
import { LineFollower } from "./line_follower.ts";
import { Lookout } from "./lookout.ts";
import type { ContainerSpec, DockerManifest } from "./manifest.ts";
import { containerName, freshName, LABELS } from "./names.ts";
import { noReplica, notReady } from "./replica_faults.ts";
import { removeTree } from "./remove_tree.ts";
import { makeTreeThings } from "./tree_things.ts";
import { makeSecret, putTreeFiles, type TreeFiles } from "./tree_files.ts";
import { TrackedReplica } from "./tracked_replica.ts";
import type { ContainerEvent } from "./watch_engine.ts";

/** Options of {@linkcode DockerTree}. */
export interface DockerTreeOptions {
  readonly engine: Engine;
  readonly app: string;
  /** Counts the trees of the deployment from 1. */
  readonly number: number;
  readonly book: AddressBook;
  readonly grace: number;
  onStatus(status: ReplicaStatus): void;
  onLine(line: LogLine): void;
}

/** How long to wait before a container is started that the engine leaves alone, in milliseconds; then twice as long. */
const FIRST_DELAY = 100;

/** See the module's documentation. */
export class DockerTree {
  readonly number: number;
  readonly app: string;
  #options: DockerTreeOptions;
  #book: AddressBook;
  #replicas = new Map<string, TrackedReplica>();
  #byContainer = new Map<string, TrackedReplica>();
  #command: readonly string[] = [];
  #over = new AbortController();
  /** Whether containers are being started, which looking at them would only hold up. */
  #launching = false;
  #woken = Promise.withResolvers<void>();
  #lines: LineFollower;
  #lookout: Lookout;
  /** Containers that have left the tree, but need its volume. */
  #kept = new Set<string>();

  constructor(options: DockerTreeOptions) {
    this.#options = options;
    this.number = options.number;
    this.app = options.app;
    this.#book = options.book;
    const { engine, onLine } = options;
    const { signal } = this.#over;
    this.#lines = new LineFollower({ engine, signal, onLine });
    this.#lookout = new Lookout({
      engine,
      signal,
      replicas: this.#replicas,
      command: () => this.#command,
      onChange: (replica) => this.#changed(replica),
    });
  }

  get book(): AddressBook {
    return this.#book;
  }

  status(): ReplicaStatus[] {
    return [...this.#replicas.values()].map((replica) => replica.status);
  }

  /** The paths of replicas that open doors. */
  get doorPaths(): ReadonlySet<string> {
    return new Set(this.#book.doors.map(({ node }) => node));
  }

  /**
   * Makes everything of a manifest, and starts the containers.
   *
   * @throws {MpError} Why not. What was made is left for {@linkcode destroy}.
   */
  async start(
    manifest: DockerManifest,
    image: RunnableImage,
    signal?: AbortSignal,
  ): Promise<void> {
    const { engine } = this.#options;
    this.#command = image.command;
    await makeTreeThings(engine, manifest, signal);
    const [first, ...others] = manifest.containers;
    if (first === undefined) return;
    for (const spec of manifest.containers) this.#track(spec);
    // the volume is filled through the first container, and before any of them runs
    await this.#create(manifest, first, image, signal);
    const { book, note, usersFile } = manifest;
    const filled = Promise.withResolvers<void>();
    filled.promise.catch(() => {});
    this.#launching = true;
    try {
      await inGroups([first, ...others], async (spec, gone) => {
        const either = signal ? AbortSignal.any([signal, gone]) : gone;
        if (spec !== first) await this.#create(manifest, spec, image, either);
        else {
          const files = { book, note, secret: makeSecret(), usersFile };
          filled.resolve(this.#putFiles(files, either));
        }
        await abortable(filled.promise, either);
        await this.#start(spec, either);
      });
    } finally {
      this.#launching = false;
    }
    this.#look();
  }

  /** Takes up what another launcher has started. */
  async adopt(signal?: AbortSignal): Promise<void> {
    const { engine, app, number } = this.#options;
    const labels = { [LABELS.app]: app, [LABELS.tree]: String(number), [LABELS.path]: undefined };
    for (const { Id, Labels } of await listContainers(engine, labels, signal)) {
      this.#track({ path: Labels[LABELS.path]!, index: Number(Labels[LABELS.index]) }, Id);
    }
    await this.#inspect();
    // what is told first is to be right
    await this.#lookout.once(0).catch(() => {});
    this.#look();
  }

  /** Learns anew how the containers are. */
  async resync(): Promise<void> {
    await this.#inspect();
    this.#look();
  }

  async #inspect(): Promise<void> {
    const { engine } = this.#options;
    await Promise.all([...this.#replicas.values()].map(async (replica) => {
      if (replica.id === undefined) return;
      try {
        const inspected = await inspectContainer(engine, replica.id);
        this.#command = inspected.Config.Cmd;
        replica.adopt(inspected, Date.now());
      } catch (error) {
        if (error instanceof MpError) throw error;
        replica.running = false;
        replica.state = "stopped";
      }
      this.#changed(replica);
    }));
  }

  /** Takes what the engine tells. */
  hear({ Action, Actor: { ID, Attributes } }: ContainerEvent): void {
    const replica = this.#byContainer.get(ID);
    if (replica === undefined || this.#over.signal.aborted) return;
    switch (Action) {
      case "start":
        replica.started();
        this.#changed(replica);
        this.#look();
        this.#lines.follow(replica);
        return;
      case "oom":
        replica.outOfMemory = true;
        return;
      case "die":
        replica.ended(Number(Attributes.exitCode ?? 0), Date.now());
        this.#changed(replica);
        if (!replica.stopping) this.#seeToRestart(replica);
        return;
      case "destroy":
        replica.running = false;
        replica.state = "stopped";
        this.#changed(replica);
    }
  }

  /**
   * Resolves when every replica is ready that is wanted.
   *
   * @throws {MpError} `crash_loop`, or `launch_failed` when one would fail again.
   */
  async ready(
    wanted: (replica: ReplicaId) => boolean = () => true,
    signal?: AbortSignal,
  ): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#over.signal.aborted) {
        throw new MpError("interrupted", `Cannot go on with "${this.app}": it was stopped`);
      }
      const replicas = [...this.#replicas.values()].filter(wanted);
      const failed = replicas.find(({ fatal, state }) => fatal || state === "crash loop");
      if (failed) throw notReady(failed);
      if (replicas.every(({ state }) => state === "ready" || state === "busy")) return;
      await this.#change(signal);
    }
  }

  /** Stops and starts one replica. @throws {MpError} When there is none, or it does not become ready. */
  async restart(id: ReplicaId): Promise<void> {
    const replica = this.#replicas.get(`${id.path}.${id.index}`);
    if (replica?.id === undefined) throw noReplica(id);
    await this.#stopThenStart(replica);
    await this.ready((one) => one === replica);
  }

  async #stopThenStart(replica: TrackedReplica): Promise<void> {
    const { engine, grace } = this.#options;
    replica.stopping = true;
    replica.state = "restarting";
    this.#changed(replica);
    try {
      await stopContainer(engine, replica.id!, grace);
      replica.ended(0, Date.now());
      replica.failures = 0;
      replica.fatal = false;
    } finally {
      replica.stopping = false;
    }
    await startContainer(engine, replica.id!);
    this.#started(replica);
  }

  #withDoors(): TrackedReplica[] {
    const paths = this.doorPaths;
    return [...this.#replicas.values()].filter(({ path }) => paths.has(path));
  }

  /**
   * Adds and removes replicas, so that the tree is as in `manifest`.
   *
   * @throws {MpError} When an added replica does not become ready; the tree is as before.
   */
  async scale(manifest: DockerManifest, before: DeploymentNote): Promise<void> {
    const old = this.#book;
    const names = new Set(manifest.containers.map(({ path, index }) => `${path}.${index}`));
    const added = manifest.containers.filter(({ path, index }) =>
      !this.#replicas.has(`${path}.${index}`)
    );
    const removed = [...this.#replicas.values()].filter(({ name }) => !names.has(name));
    const image = await this.#image();
    // a replica looks itself up in the book when it starts
    await this.#putFiles(manifest);
    this.#book = manifest.book;
    const fresh = added.map((spec) => this.#track(spec));
    try {
      await inGroups(added, async (spec, gone) => {
        await this.#create(manifest, spec, image, gone);
        await this.#start(spec, gone);
      });
      await this.ready((one) => fresh.includes(one as TrackedReplica));
    } catch (error) {
      this.#book = { ...old, generation: manifest.book.generation + 1 };
      await this.#drop(fresh);
      await this.#putFiles({ book: this.#book, note: { ...before, book: this.#book } });
      throw error;
    }
    await this.#stop(removed);
    await this.#drop(removed);
  }

  /** The image of what runs. */
  async #image(): Promise<RunnableImage> {
    const any = [...this.#replicas.values()].find(({ id }) => id !== undefined);
    const { Config } = await inspectContainer(this.#options.engine, any!.id!);
    return { tag: Config.Image, command: Config.Cmd };
  }

  /** Gives the containers the names that are theirs, once those of the tree before are gone. */
  async takeNames(): Promise<void> {
    const { engine, app } = this.#options;
    await inGroups([...this.#replicas.values()], async (replica, gone) => {
      if (replica.id === undefined) return;
      await renameContainer(engine, replica.id, containerName(app, replica), gone);
    });
  }

  /** Lets containers go that stay when the tree ends. They are no replicas any more. */
  letGo(ids: ReadonlySet<string>): void {
    for (const id of ids) {
      const replica = this.#byContainer.get(id);
      if (replica === undefined) continue;
      this.#kept.add(id);
      this.#byContainer.delete(id);
      this.#replicas.delete(replica.name);
      this.#gone(replica);
    }
  }

  /** Lets all replicas answer what has come, those with doors first, and removes everything. */
  async drain(): Promise<void> {
    await this.#stop(this.#withDoors());
    await this.#stop([...this.#replicas.values()]);
    await this.destroy();
  }

  /** Removes everything at once. */
  async destroy(): Promise<void> {
    const { engine, app, number } = this.#options;
    this.leave();
    for (const replica of this.#replicas.values()) replica.stopping = true;
    await removeTree(engine, app, number, this.#kept);
    for (const replica of this.#replicas.values()) this.#gone(replica);
  }

  #gone(replica: TrackedReplica): void {
    replica.stopping = true;
    replica.running = false;
    replica.state = "stopped";
    this.#changed(replica);
  }

  /** Lets it go on by itself. */
  leave(): void {
    this.#over.abort();
    this.#wake();
  }

  /** Hands on what replicas write from a time on. */
  followLines(since: bigint): void {
    if (!this.#lines.begin(since)) return;
    for (const replica of this.#replicas.values()) if (replica.running) this.#lines.follow(replica);
  }

  #track(replica: ReplicaId, id?: string): TrackedReplica {
    const tracked = new TrackedReplica(replica, this.number, id);
    this.#replicas.set(tracked.name, tracked);
    if (id !== undefined) this.#byContainer.set(id, tracked);
    return tracked;
  }

  async #create(
    manifest: DockerManifest,
    spec: ContainerSpec,
    image: RunnableImage,
    signal?: AbortSignal,
  ): Promise<void> {
    const { engine, grace } = this.#options;
    const name = this.number > 1 ? freshName(spec.name, this.number) : spec.name;
    try {
      const id = await createContainer(engine, manifest, spec, { name, image, grace, signal });
      const replica = this.#replicas.get(`${spec.path}.${spec.index}`)!;
      replica.id = id;
      this.#byContainer.set(id, replica);
    } catch (error) {
      throw containerFault(spec, error);
    }
  }

  async #start(spec: ContainerSpec, signal?: AbortSignal): Promise<void> {
    const replica = this.#replicas.get(`${spec.path}.${spec.index}`)!;
    try {
      await startContainer(this.#options.engine, replica.id!, signal);
    } catch (error) {
      throw containerFault(spec, error);
    }
    this.#started(replica);
  }

  /** The engine's own word of it may come later. */
  #started(replica: TrackedReplica): void {
    replica.started();
    this.#changed(replica);
    this.#look();
    this.#lines.follow(replica);
  }

  async #stop(replicas: readonly TrackedReplica[]): Promise<void> {
    const { engine, grace } = this.#options;
    await inGroups(replicas, async (replica, gone) => {
      if (replica.id === undefined) return;
      replica.stopping = true;
      if (replica.running) replica.state = "draining";
      this.#changed(replica);
      await stopContainer(engine, replica.id, grace, gone);
    });
  }

  async #drop(replicas: readonly TrackedReplica[]): Promise<void> {
    await inGroups(replicas, async (replica, gone) => {
      replica.stopping = true;
      if (replica.id !== undefined) {
        await removeContainer(this.#options.engine, replica.id, gone);
        this.#byContainer.delete(replica.id);
      }
      this.#replicas.delete(replica.name);
      this.#gone(replica);
    });
  }

  /** The engine does not start again what somebody has killed by its command. */
  async #seeToRestart(replica: TrackedReplica): Promise<void> {
    const { engine } = this.#options;
    const { signal } = this.#over;
    try {
      const { State } = await inspectContainer(engine, replica.id!);
      if (State.Running || State.Restarting) return;
      await delay(FIRST_DELAY * 2 ** Math.min(replica.failures - 1, 8), { signal });
      if (replica.stopping || replica.running) return;
      await startContainer(engine, replica.id!, signal);
    } catch {
      // it is gone, or the launcher goes, or the engine does
    }
  }

  async #putFiles(files: TreeFiles, signal?: AbortSignal): Promise<void> {
    const any = [...this.#replicas.values()].find(({ id }) => id !== undefined);
    if (any !== undefined) await putTreeFiles(this.#options.engine, any.id!, files, signal);
  }

  /** Looks at the replicas until all are ready. */
  #look(): void {
    if (!this.#launching) this.#lookout.look();
  }

  #changed(replica: TrackedReplica): void {
    this.#options.onStatus(replica.status);
    this.#wake();
  }

  #wake(): void {
    const { resolve } = this.#woken;
    this.#woken = Promise.withResolvers();
    resolve();
  }

  async #change(signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return await this.#woken.promise;
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => aborted.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    await Promise.race([this.#woken.promise, aborted.promise]);
    signal.removeEventListener("abort", onAbort);
  }
}
