/**
 * The containers of one tree of replicas, and what is done with them in the engine.
 *
 * @module
 */

import type { ReplicaId } from "../../runtime/launch/driver.ts";
import type { RunnableImage } from "./container_body.ts";
import {
  createContainer,
  inspectContainer,
  removeContainer,
  renameContainer,
  startContainer,
  stopContainer,
} from "./containers.ts";
import type { Engine } from "./engine.ts";
import { containerFault } from "./engine_faults.ts";
import { inGroups } from "./in_groups.ts";
import type { ContainerSpec, DockerManifest } from "./manifest.ts";
import { containerName, freshName } from "./names.ts";
import { TrackedReplica } from "./tracked_replica.ts";

/** Options of {@linkcode TreeContainers}. */
export interface TreeContainersOptions {
  readonly engine: Engine;
  readonly app: string;
  /** The number of the tree. */
  readonly number: number;
  readonly grace: number;
  onChange(replica: TrackedReplica): void;
  /** A container was asked to start; the engine's own word of it may come later. */
  onStart(replica: TrackedReplica): void;
}

/** See the module's documentation. */
export class TreeContainers implements Iterable<TrackedReplica> {
  #options: TreeContainersOptions;
  #replicas = new Map<string, TrackedReplica>();
  #byContainer = new Map<string, TrackedReplica>();
  /** Containers that have left the tree, but need its volume. */
  #kept = new Set<string>();

  constructor(options: TreeContainersOptions) {
    this.#options = options;
  }

  /** Its replicas, by path and index. */
  get replicas(): ReadonlyMap<string, TrackedReplica> {
    return this.#replicas;
  }

  /** Those that stay when the tree ends. */
  get kept(): ReadonlySet<string> {
    return this.#kept;
  }

  /** One that there is, by which the volume of the tree can be reached. */
  get any(): string | undefined {
    return [...this].find(({ id }) => id !== undefined)?.id;
  }

  [Symbol.iterator](): MapIterator<TrackedReplica> {
    return this.#replicas.values();
  }

  find({ path, index }: ReplicaId): TrackedReplica | undefined {
    return this.#replicas.get(`${path}.${index}`);
  }

  /** The replica that has a container. */
  ofContainer(id: string): TrackedReplica | undefined {
    return this.#byContainer.get(id);
  }

  /** Adds a replica, whose container may be there already. */
  track(replica: ReplicaId, id?: string): TrackedReplica {
    const tracked = new TrackedReplica(replica, this.#options.number, id);
    this.#replicas.set(tracked.name, tracked);
    if (id !== undefined) this.#byContainer.set(id, tracked);
    return tracked;
  }

  /** The image of what runs. */
  async image(): Promise<RunnableImage> {
    const { Config } = await inspectContainer(this.#options.engine, this.any!);
    return { tag: Config.Image, command: Config.Cmd };
  }

  /** Creates the container of a replica. @throws {MpError} Why not. */
  async create(
    manifest: DockerManifest,
    spec: ContainerSpec,
    image: RunnableImage,
    signal?: AbortSignal,
  ): Promise<void> {
    const { engine, grace, number } = this.#options;
    const name = number > 1 ? freshName(spec.name, number) : spec.name;
    try {
      const id = await createContainer(engine, manifest, spec, { name, image, grace, signal });
      const replica = this.find(spec)!;
      replica.id = id;
      this.#byContainer.set(id, replica);
    } catch (error) {
      throw containerFault(spec, error);
    }
  }

  /** Starts the container of a replica. @throws {MpError} Why not. */
  async start(spec: ContainerSpec, signal?: AbortSignal): Promise<void> {
    const replica = this.find(spec)!;
    try {
      await startContainer(this.#options.engine, replica.id!, signal);
    } catch (error) {
      throw containerFault(spec, error);
    }
    this.#options.onStart(replica);
  }

  /** Lets replicas answer what has come, and end. */
  async stop(replicas: readonly TrackedReplica[]): Promise<void> {
    const { engine, grace, onChange } = this.#options;
    await inGroups(replicas, async (replica, gone) => {
      if (replica.id === undefined) return;
      replica.stopping = true;
      if (replica.running) replica.state = "draining";
      onChange(replica);
      await stopContainer(engine, replica.id, grace, gone);
    });
  }

  /** Stops one and starts it again. */
  async restart(replica: TrackedReplica): Promise<void> {
    const { engine, grace, onChange, onStart } = this.#options;
    replica.stopping = true;
    replica.state = "restarting";
    onChange(replica);
    try {
      await stopContainer(engine, replica.id!, grace);
      replica.ended(0, Date.now());
      replica.failures = 0;
      replica.fatal = false;
    } finally {
      replica.stopping = false;
    }
    await startContainer(engine, replica.id!);
    onStart(replica);
  }

  /** Removes replicas and their containers, whatever they do. */
  async drop(replicas: readonly TrackedReplica[]): Promise<void> {
    await inGroups(replicas, async (replica, gone) => {
      replica.stopping = true;
      if (replica.id !== undefined) {
        await removeContainer(this.#options.engine, replica.id, gone);
        this.#byContainer.delete(replica.id);
      }
      this.#replicas.delete(replica.name);
      this.gone(replica);
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
      this.gone(replica);
    }
  }

  /** Notes that the container of a replica is away. */
  gone(replica: TrackedReplica): void {
    replica.stopping = true;
    replica.running = false;
    replica.state = "stopped";
    this.#options.onChange(replica);
  }

  /** Gives the containers the names that are theirs, once those of the tree before are gone. */
  async takeNames(): Promise<void> {
    const { engine, app } = this.#options;
    await inGroups([...this], async (replica, gone) => {
      if (replica.id === undefined) return;
      await renameContainer(engine, replica.id, containerName(app, replica), gone);
    });
  }
}
