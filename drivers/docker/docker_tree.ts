/**
 * One tree of replicas in an engine: its network, its volume, its containers, and what is known of them.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { messageOf, MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type {
  DeploymentNote,
  LogLine,
  ReplicaId,
  ReplicaStatus,
} from "../../runtime/launch/driver.ts";
import type { RunnableImage } from "./container_body.ts";
import {
  containerLines,
  createContainer,
  inspectContainer,
  listContainers,
  lookFrom,
  putFiles,
  removeContainer,
  startContainer,
  stopContainer,
} from "./containers.ts";
import type { Engine } from "./engine.ts";
import { containerFault, engineFault } from "./engine_faults.ts";
import { type ContainerSpec, type DockerManifest, PLACES, USER } from "./manifest.ts";
import { containerName, freshName, LABELS } from "./names.ts";
import { makeTreeThings, removeTreeThings } from "./tree_things.ts";
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

/** How long one look at the replicas may take, in milliseconds; then there is another one. */
const LOOK = 10_000;
/** How many containers are made or ended at once. */
const AT_ONCE = 16;
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
  #looking = false;
  /** Whether containers are being started, which looking at them would only hold up. */
  #launching = false;
  #woken = Promise.withResolvers<void>();
  /** Since when lines are followed, in nanoseconds; nothing while nobody reads them. */
  #linesSince: bigint | undefined;
  #followed = new Map<string, bigint>();
  #following = new Set<string>();
  /** The containers that are to take the place of those that run for now. */
  #withPorts = new Map<TrackedReplica, string>();

  constructor(options: DockerTreeOptions) {
    this.#options = options;
    this.number = options.number;
    this.app = options.app;
    this.#book = options.book;
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
   * @param doors Whether doors are opened. Otherwise replicas with doors run where nobody finds them, so that it
   * is known whether they start, until {@linkcode openDoors}.
   * @throws {MpError} Why not. What was made is left for {@linkcode destroy}.
   */
  async start(
    manifest: DockerManifest,
    image: RunnableImage,
    { doors, signal }: { readonly doors: boolean; readonly signal?: AbortSignal },
  ): Promise<void> {
    const { engine } = this.#options;
    this.#command = image.command;
    await makeTreeThings(engine, manifest, signal);
    const [first, ...others] = manifest.containers;
    if (first === undefined) return;
    for (const spec of manifest.containers) this.#track(spec);
    // the volume is filled through the first container, and before any of them runs
    await this.#create(manifest, first, image, signal);
    await this.#putFiles(manifest.book, manifest.note, {
      secret: makeSecret(),
      usersFile: manifest.usersFile,
    });
    this.#launching = true;
    try {
      await inGroups([first, ...others], async (spec) => {
        if (spec !== first) await this.#create(manifest, spec, image, signal);
        if (!doors && spec.ports.length > 0) await this.#createTrial(manifest, spec, image);
        await this.#start(spec, signal);
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
    const from = [...this.#replicas.values()].find(({ running }) => running);
    // what is told first is to be right
    if (from) await this.#lookFrom(from, this.#over.signal, 0).catch(() => {});
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
        this.#follow(replica);
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
    if (replica?.id === undefined) {
      throw new MpError(
        "deployment_not_found",
        `Cannot restart ${id.path}.${id.index}: there is no such replica`,
        { next: "See what runs with mp ps" },
      );
    }
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

  /** Opens the doors that were not opened at the start, or were closed. @throws {MpError} `port_in_use`, …. */
  async openDoors(manifest?: DockerManifest): Promise<void> {
    const { engine } = this.#options;
    for (const replica of this.#withDoors()) {
      const spec = manifest?.containers.find(({ path, index }) =>
        path === replica.path && index === replica.index
      );
      const own = this.#withPorts.get(replica);
      if (own !== undefined) {
        this.#withPorts.delete(replica);
        replica.stopping = true;
        const trial = replica.id!;
        this.#assign(replica, own);
        await removeContainer(engine, trial);
      }
      replica.renew();
      try {
        await startContainer(engine, replica.id!);
      } catch (error) {
        throw spec ? containerFault(spec, error) : engineFault(`start ${replica.name}`, error);
      }
      this.#started(replica);
    }
  }

  /** Stops the replicas with doors. */
  async closeDoors(): Promise<void> {
    await this.#stop(this.#withDoors());
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
  async scale(
    manifest: DockerManifest,
    image: RunnableImage,
    before: DeploymentNote,
  ): Promise<void> {
    const old = this.#book;
    const names = new Set(manifest.containers.map(({ path, index }) => `${path}.${index}`));
    const added = manifest.containers.filter(({ path, index }) =>
      !this.#replicas.has(`${path}.${index}`)
    );
    const removed = [...this.#replicas.values()].filter(({ name }) => !names.has(name));
    this.#command = image.command;
    // a replica looks itself up in the book when it starts
    await this.#putFiles(manifest.book, manifest.note);
    this.#book = manifest.book;
    const fresh = added.map((spec) => this.#track(spec));
    try {
      await inGroups(added, async (spec) => {
        await this.#create(manifest, spec, image);
        await this.#start(spec);
      });
      await this.ready((one) => fresh.includes(one as TrackedReplica));
    } catch (error) {
      this.#book = { ...old, generation: manifest.book.generation + 1 };
      await this.#drop(fresh);
      await this.#putFiles(this.#book, { ...before, book: this.#book });
      throw error;
    }
    await this.#stop(removed);
    await this.#drop(removed);
  }

  /** Gives the containers the names that are theirs, once those of the tree before are gone. */
  async takeNames(): Promise<void> {
    const { engine, app } = this.#options;
    await inGroups([...this.#replicas.values()], async (replica) => {
      const name = containerName(app, replica);
      await engine.json("POST", `/containers/${replica.id}/rename`, { query: { name } })
        .catch(() => {}); // it is called so already; a name is no reason to fail
    });
  }

  /** Lets all replicas answer what has come, those with doors first, and removes everything. */
  async drain(): Promise<void> {
    await this.closeDoors();
    await this.#stop([...this.#replicas.values()]);
    await this.destroy();
  }

  /** Removes everything at once. */
  async destroy(): Promise<void> {
    const { engine, app, number } = this.#options;
    this.leave();
    for (const replica of this.#replicas.values()) replica.stopping = true;
    await removeTree(engine, app, number);
    for (const replica of this.#replicas.values()) {
      replica.running = false;
      replica.state = "stopped";
      this.#options.onStatus(replica.status);
    }
  }

  /** Lets it go on by itself. */
  leave(): void {
    this.#over.abort();
    this.#wake();
  }

  /** Hands on what replicas write from a time on. */
  followLines(since: bigint): void {
    if (this.#linesSince !== undefined) return;
    this.#linesSince = since;
    for (const replica of this.#replicas.values()) if (replica.running) this.#follow(replica);
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
      this.#assign(this.#replicas.get(`${spec.path}.${spec.index}`)!, id);
    } catch (error) {
      throw containerFault(spec, error);
    }
  }

  /** Creates a container like that of a replica with doors, but without ports, to run in its place for now. */
  async #createTrial(
    manifest: DockerManifest,
    spec: ContainerSpec,
    image: RunnableImage,
  ): Promise<void> {
    const { engine, grace } = this.#options;
    const replica = this.#replicas.get(`${spec.path}.${spec.index}`)!;
    const name = `${freshName(spec.name, this.number)}.trial`;
    const options = { name, image, grace };
    this.#withPorts.set(replica, replica.id!);
    this.#assign(replica, await createContainer(engine, manifest, { ...spec, ports: [] }, options));
  }

  #assign(replica: TrackedReplica, id: string): void {
    if (replica.id !== undefined) this.#byContainer.delete(replica.id);
    replica.id = id;
    this.#byContainer.set(id, replica);
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
    this.#follow(replica);
  }

  async #stop(replicas: readonly TrackedReplica[]): Promise<void> {
    const { engine, grace } = this.#options;
    await inGroups(replicas, async (replica) => {
      if (replica.id === undefined) return;
      replica.stopping = true;
      if (replica.running) replica.state = "draining";
      this.#changed(replica);
      await stopContainer(engine, replica.id, grace);
    });
  }

  async #drop(replicas: readonly TrackedReplica[]): Promise<void> {
    await inGroups(replicas, async (replica) => {
      replica.stopping = true;
      if (replica.id !== undefined) {
        await removeContainer(this.#options.engine, replica.id);
        this.#byContainer.delete(replica.id);
      }
      this.#replicas.delete(replica.name);
      replica.running = false;
      replica.state = "stopped";
      this.#changed(replica);
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

  async #putFiles(
    book: AddressBook,
    note: DeploymentNote,
    { secret, usersFile }: { readonly secret?: string; readonly usersFile?: string } = {},
  ): Promise<void> {
    const any = [...this.#replicas.values()].find(({ id }) => id !== undefined);
    if (any === undefined) return;
    const file = (path: string, content: string) => ({
      path: path.slice(path.lastIndexOf("/") + 1),
      content,
      owner: USER,
      mode: 0o400,
    });
    const users = usersFile === undefined ? [] : [file(PLACES.users, await readUsers(usersFile))];
    try {
      await putFiles(this.#options.engine, any.id!, PLACES.run, [
        file(PLACES.book, JSON.stringify(book)),
        file(PLACES.note, JSON.stringify(note)),
        ...(secret === undefined ? [] : [file(PLACES.secret, secret)]),
        ...users,
      ]);
    } catch (error) {
      throw engineFault(`hand out the address book of "${this.app}"`, error);
    }
  }

  /** Looks at the replicas until all are ready. */
  async #look(): Promise<void> {
    if (this.#looking || this.#launching) return;
    this.#looking = true;
    const { signal } = this.#over;
    try {
      while (!signal.aborted) {
        const replicas = [...this.#replicas.values()];
        if (replicas.every(({ state, running }) => !running || state === "ready")) break;
        const from = replicas.find(({ state }) => state === "ready") ??
          replicas.find(({ running }) => running);
        if (from === undefined) break;
        try {
          await this.#lookFrom(from, signal);
        } catch {
          // the container from which it was looked has ended
        }
        await delay(50, { signal }).catch(() => {});
      }
    } finally {
      this.#looking = false;
    }
  }

  async #lookFrom(from: TrackedReplica, signal: AbortSignal, milliseconds = LOOK): Promise<void> {
    const sightings = lookFrom(this.#options.engine, from.id!, this.#command, {
      milliseconds,
      signal,
    });
    for await (const sighting of sightings) {
      const replica = this.#replicas.get(`${sighting.path}.${sighting.index}`);
      if (replica === undefined) continue;
      const before = JSON.stringify(replica.status);
      replica.seen(sighting, Date.now());
      if (JSON.stringify(replica.status) !== before) this.#changed(replica);
    }
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

  /** Hands on what a replica writes while it runs. */
  async #follow(replica: TrackedReplica): Promise<void> {
    const id = replica.id!;
    if (this.#linesSince === undefined || this.#following.has(id)) return;
    this.#following.add(id);
    const { path, index } = replica;
    const { signal } = this.#over;
    try {
      const since = this.#followed.get(id) ?? this.#linesSince;
      for await (
        const line of containerLines(this.#options.engine, id, { follow: true, since, signal })
      ) {
        this.#followed.set(id, line.nanoseconds + 1n);
        if (line.stream === "stderr" && line.text.startsWith("error: ")) {
          replica.complaint = line.text.slice("error: ".length);
        }
        const time = Number(line.nanoseconds / 1_000_000n);
        this.#options.onLine({ path, index, time, stream: line.stream, text: line.text });
      }
    } catch {
      // the container is gone, or the engine is
    } finally {
      this.#following.delete(id);
    }
    // it was started again before its last lines were read
    if (replica.running && !signal.aborted) {
      await delay(100, { signal }).catch(() => {});
      if (replica.running && this.#byContainer.get(id) === replica) this.#follow(replica);
    }
  }
}

/** Removes everything that belongs to a tree. */
export async function removeTree(engine: Engine, app: string, tree: number): Promise<void> {
  const labels = { [LABELS.app]: app, [LABELS.tree]: String(tree) };
  const containers = await listContainers(engine, labels);
  await inGroups(containers, ({ Id }) => removeContainer(engine, Id));
  await removeTreeThings(engine, labels);
}

/** Does something with each, some at once; the first error ends it, once those under way are done. */
export async function inGroups<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const failures: unknown[] = [];
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, async () => {
    for (
      let item = left.shift();
      item !== undefined && failures.length === 0;
      item = left.shift()
    ) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  }));
  if (failures.length > 0) throw failures[0];
}

async function readUsers(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new MpError("usage", `Cannot read the users in "${path}": ${messageOf(error)}`, {
      cause: error,
      where: "MP_AUTH_USERS",
    });
  }
}

function makeSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function notReady(replica: TrackedReplica): MpError {
  const { name, fatal, failures, trouble } = replica;
  return fatal
    ? new MpError("launch_failed", `Cannot start ${name}: ${trouble}`, { replica: name })
    : new MpError("crash_loop", `Cannot start ${name}: it ended ${failures} times: ${trouble}`, {
      replica: name,
      next: "See what it wrote above, or with mp logs",
    });
}
