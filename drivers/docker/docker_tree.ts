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
import { inspectContainer, listContainers, startContainer } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { inGroups } from "./in_groups.ts";
import { LineFollower } from "./line_follower.ts";
import { Lookout } from "./lookout.ts";
import type { DockerManifest } from "./manifest.ts";
import { LABELS } from "./names.ts";
import { noReplica, notReady } from "./replica_faults.ts";
import { removeTree } from "./remove_tree.ts";
import { makeTreeThings } from "./tree_things.ts";
import { makeSecret, putTreeFiles, type TreeFiles } from "./tree_files.ts";
import type { TrackedReplica } from "./tracked_replica.ts";
import { TreeContainers } from "./tree_containers.ts";
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
  #containers: TreeContainers;
  #command: readonly string[] = [];
  #over = new AbortController();
  /** Whether containers are being started, which looking at them would only hold up. */
  #launching = false;
  #woken = Promise.withResolvers<void>();
  #lines: LineFollower;
  #lookout: Lookout;

  constructor(options: DockerTreeOptions) {
    this.#options = options;
    this.number = options.number;
    this.app = options.app;
    this.#book = options.book;
    const { engine, app, number, grace, onLine } = options;
    const { signal } = this.#over;
    const onChange = (replica: TrackedReplica) => this.#changed(replica);
    const onStart = (replica: TrackedReplica) => this.#started(replica);
    this.#containers = new TreeContainers({ engine, app, number, grace, onChange, onStart });
    this.#lines = new LineFollower({ engine, signal, onLine });
    this.#lookout = new Lookout({
      engine,
      signal,
      replicas: this.#containers.replicas,
      command: () => this.#command,
      onChange,
    });
  }

  get book(): AddressBook {
    return this.#book;
  }

  status(): ReplicaStatus[] {
    return [...this.#containers].map((replica) => replica.status);
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
    for (const spec of manifest.containers) this.#containers.track(spec);
    // the volume is filled through the first container, and before any of them runs
    await this.#containers.create(manifest, first, image, signal);
    const { book, note, usersFile } = manifest;
    const filled = Promise.withResolvers<void>();
    // whoever waits for it throws; there may be nobody any more
    filled.promise.catch(() => {});
    this.#launching = true;
    try {
      await inGroups([first, ...others], async (spec, gone) => {
        const either = signal ? AbortSignal.any([signal, gone]) : gone;
        if (spec === first) {
          const files = { book, note, secret: makeSecret(), usersFile };
          filled.resolve(this.#putFiles(files, either));
        } else await this.#containers.create(manifest, spec, image, either);
        await abortable(filled.promise, either);
        await this.#containers.start(spec, either);
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
      const replica = { path: Labels[LABELS.path]!, index: Number(Labels[LABELS.index]) };
      this.#containers.track(replica, Id);
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
    await Promise.all([...this.#containers].map(async (replica) => {
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
    const replica = this.#containers.ofContainer(ID);
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
      const replicas = [...this.#containers].filter(wanted);
      const failed = replicas.find(({ fatal, state }) => fatal || state === "crash loop");
      if (failed) throw notReady(failed);
      if (replicas.every(({ state }) => state === "ready" || state === "busy")) return;
      await this.#change(signal);
    }
  }

  /** Stops and starts one replica. @throws {MpError} When there is none, or it does not become ready. */
  async restart(id: ReplicaId): Promise<void> {
    const replica = this.#containers.find(id);
    if (replica?.id === undefined) throw noReplica(id);
    await this.#containers.restart(replica);
    await this.ready((one) => one === replica);
  }

  /**
   * Adds and removes replicas, so that the tree is as in `manifest`.
   *
   * @throws {MpError} When an added replica does not become ready; the tree is as before.
   */
  async scale(manifest: DockerManifest, before: DeploymentNote): Promise<void> {
    const old = this.#book;
    const names = new Set(manifest.containers.map(({ path, index }) => `${path}.${index}`));
    const added = manifest.containers.filter((spec) => !this.#containers.find(spec));
    const removed = [...this.#containers].filter(({ name }) => !names.has(name));
    const image = await this.#containers.image();
    // a replica looks itself up in the book when it starts
    await this.#putFiles(manifest);
    this.#book = manifest.book;
    const fresh = added.map((spec) => this.#containers.track(spec));
    try {
      await inGroups(added, async (spec, gone) => {
        await this.#containers.create(manifest, spec, image, gone);
        await this.#containers.start(spec, gone);
      });
      await this.ready((one) => fresh.includes(one as TrackedReplica));
    } catch (error) {
      this.#book = { ...old, generation: manifest.book.generation + 1 };
      await this.#containers.drop(fresh);
      await this.#putFiles({ book: this.#book, note: { ...before, book: this.#book } });
      throw error;
    }
    await this.#containers.stop(removed);
    await this.#containers.drop(removed);
  }

  /** See {@linkcode TreeContainers.letGo}. */
  letGo(ids: ReadonlySet<string>): void {
    this.#containers.letGo(ids);
  }

  /** See {@linkcode TreeContainers.takeNames}. */
  takeNames(): Promise<void> {
    return this.#containers.takeNames();
  }

  /** Lets all replicas answer what has come, those with doors first, and removes everything. */
  async drain(): Promise<void> {
    const paths = this.doorPaths;
    await this.#containers.stop([...this.#containers].filter(({ path }) => paths.has(path)));
    await this.#containers.stop([...this.#containers]);
    await this.destroy();
  }

  /** Removes everything at once. */
  async destroy(): Promise<void> {
    const { engine, app, number } = this.#options;
    this.leave();
    for (const replica of this.#containers) replica.stopping = true;
    await removeTree(engine, app, number, this.#containers.kept);
    for (const replica of this.#containers) this.#containers.gone(replica);
  }

  /** Lets it go on by itself. */
  leave(): void {
    this.#over.abort();
    this.#wake();
  }

  /** Hands on what replicas write from a time on. */
  followLines(since: bigint): void {
    if (!this.#lines.begin(since)) return;
    for (const replica of this.#containers) if (replica.running) this.#lines.follow(replica);
  }

  /** The engine's own word of it may come later. */
  #started(replica: TrackedReplica): void {
    replica.started();
    this.#changed(replica);
    this.#look();
    this.#lines.follow(replica);
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
    const { any } = this.#containers;
    if (any !== undefined) await putTreeFiles(this.#options.engine, any, files, signal);
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
    const { promise } = this.#woken;
    await (signal ? abortable(promise, signal) : promise);
  }
}
