/**
 * A deployment of the docker driver: the tree of replicas that runs, and the one that replaces it.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type {
  Deployment,
  DeploymentEvent,
  DeploymentNote,
  LaunchOptions,
  LogLine,
  LogOptions,
  ReplicaStatus,
} from "../../runtime/launch/driver.ts";
import { feed } from "../../runtime/launch/feed.ts";
import { containerLogs } from "./container_logs.ts";
import { DockerTree } from "./docker_tree.ts";
import { DoorKeepers, passOnDoors } from "./door_keepers.ts";
import type { Engine } from "./engine.ts";
import { ensureImage } from "./image.ts";
import type { DockerManifest } from "./manifest.ts";
import { removeApp, removeTree } from "./remove_tree.ts";
import { watchEngine } from "./watch_engine.ts";

const GRACE = 10_000;

/**
 * Starts the containers of a manifest.
 *
 * @throws {MpError} Why not; nothing is left then but images.
 */
export async function launchContainers(
  engine: Engine,
  manifest: DockerManifest,
  options: LaunchOptions,
): Promise<Deployment<DockerManifest>> {
  const { signal } = options;
  const deployment = new DockerDeployment(engine, manifest.app, manifest.note, options);
  try {
    const image = await ensureImage(engine, manifest, options);
    // what an earlier launch of this app left that was killed
    await removeApp(engine, manifest.app);
    await deployment.watch();
    await deployment.plant(manifest).start(manifest, image, signal);
    signal?.throwIfAborted();
    deployment.follow(0n);
    return deployment;
  } catch (error) {
    await deployment.delete().catch(() => {});
    throw signal?.aborted ? stopped(manifest.app, signal.reason) : error;
  }
}

/** Takes up a deployment that another launcher has left. */
export async function adoptContainers(
  engine: Engine,
  note: DeploymentNote,
  options: LaunchOptions,
): Promise<Deployment<DockerManifest>> {
  const deployment = new DockerDeployment(engine, note.handle.app, note, options);
  try {
    await deployment.watch();
    await deployment.adopt(note, options.signal);
    deployment.follow(BigInt(Date.now()) * 1_000_000n);
    return deployment;
  } catch (error) {
    await deployment.leave();
    throw error;
  }
}

class DockerDeployment implements Deployment<DockerManifest> {
  #engine: Engine;
  #app: string;
  /** What is kept with what runs. */
  #note: DeploymentNote;
  #options: LaunchOptions;
  #events = feed<DeploymentEvent>();
  #lines = feed<LogLine>();
  #trees = new Set<DockerTree>();
  #keepers: DoorKeepers;
  #current!: DockerTree;
  #linesSince: bigint | undefined;
  #watching = new AbortController();
  #deleted: Promise<void> | undefined;
  #launched: Promise<void> | undefined;
  /** Changes wait for each other, so that there are never more than two trees. */
  #busy: Promise<unknown> = Promise.resolve();
  #abort = () => void this.delete();

  constructor(engine: Engine, app: string, note: DeploymentNote, options: LaunchOptions) {
    this.#engine = engine;
    this.#app = app;
    this.#note = note;
    this.#options = options;
    this.#keepers = new DoorKeepers(engine, app);
  }

  get book() {
    return this.#current.book;
  }

  /** Takes up what runs. */
  async adopt({ tree, book }: DeploymentNote, signal?: AbortSignal): Promise<void> {
    await Promise.all([
      this.#keepers.find(tree, signal),
      this.plant({ tree, book }).adopt(signal),
    ]);
  }

  /** Begins to hear what happens. */
  async watch(): Promise<void> {
    await watchEngine(this.#engine, {
      app: this.#app,
      signal: this.#watching.signal,
      onEvent: (event) => {
        for (const tree of this.#trees) tree.hear(event);
        if (event.Action === "die") this.#keepers.ended(event.Actor.ID);
      },
      onBack: () => {
        for (const tree of this.#trees) tree.resync().catch(() => {});
      },
      onLost: (error) => this.#options.warn?.(error),
    });
  }

  /** Adds a tree. */
  plant({ tree: number, book }: Pick<DockerManifest, "tree" | "book">): DockerTree {
    const tree = new DockerTree({
      engine: this.#engine,
      app: this.#app,
      number,
      book,
      grace: this.#grace,
      onStatus: (status) => this.#events.put({ ...status, time: Date.now() }),
      onLine: (line) => this.#lines.put(line),
    });
    this.#trees.add(tree);
    this.#current ??= tree;
    return tree;
  }

  /** Has everything been launched: from here on the deployment looks after itself. */
  follow(linesSince: bigint): void {
    this.#linesSince = linesSince;
    const { signal } = this.#options;
    signal?.addEventListener("abort", this.#abort, { once: true });
    const first = this.#current;
    this.#launched = first.ready().catch(async (error) => {
      // another tree has become ready in its place
      if (this.#current !== first && !this.#deleted) return;
      const reason = signal?.aborted ? stopped(this.#app, signal.reason) : error;
      // nothing is left of a launch that failed; what was taken up is somebody else's
      if (linesSince === 0n && !this.#watching.signal.aborted) {
        await this.#remove((tree) => tree.destroy());
      }
      throw reason;
    }).finally(() => signal?.removeEventListener("abort", this.#abort));
    this.#launched.catch(() => {});
  }

  async ready(signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return await this.#launched;
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([this.#launched, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  status(): ReplicaStatus[] {
    return [...this.#trees].flatMap((tree) => tree.status());
  }

  events(signal?: AbortSignal): AsyncIterable<DeploymentEvent> {
    return this.#events.read(signal);
  }

  lines(signal?: AbortSignal): AsyncIterable<LogLine> {
    const lines = this.#lines.read(signal);
    for (const tree of this.#trees) tree.followLines(this.#linesSince ?? 0n);
    return lines;
  }

  logs(options: LogOptions): AsyncIterable<LogLine> {
    return containerLogs(this.#engine, this.#app, options);
  }

  restart(replica: Parameters<Deployment["restart"]>[0]): Promise<void> {
    return this.#inTurn(() => this.#current.restart(replica));
  }

  scale(_book: unknown, manifest: DockerManifest): Promise<void> {
    return this.#inTurn(async () => {
      await this.#current.scale(manifest, this.#note);
      this.#note = manifest.note;
    });
  }

  update(_book: unknown, manifest: DockerManifest): Promise<void> {
    return this.#inTurn(async () => {
      const old = this.#current;
      let next: DockerTree | undefined;
      try {
        const image = await ensureImage(this.#engine, manifest, this.#options);
        await removeTree(this.#engine, this.#app, manifest.tree);
        next = this.plant(manifest);
        if (this.#linesSince !== undefined) next.followLines(0n);
        await next.start(manifest, image);
        await next.ready();
        await this.#moveDoors(old, manifest);
      } catch (error) {
        if (next) {
          this.#trees.delete(next);
          await next.destroy();
        }
        throw this.#deleted ? stopped(this.#app) : notUpdated(this.#app, error);
      }
      this.#current = next;
      this.#note = manifest.note;
      await old.drain();
      this.#trees.delete(old);
      await this.#keepers.removeOthers(manifest.book);
      await next.takeNames();
    });
  }

  /** What has a published port keeps it, and is a replica no more. */
  async #moveDoors(old: DockerTree, { book, tree }: DockerManifest): Promise<void> {
    const keepers = await passOnDoors(this.#engine, this.#app, { book, tree, grace: this.#grace });
    this.#keepers.keep(keepers);
    old.letGo(keepers);
  }

  get #grace(): number {
    return this.#options.grace ?? GRACE;
  }

  delete(): Promise<void> {
    return this.#remove((tree) => tree.drain(), this.#grace);
  }

  leave(): Promise<void> {
    for (const tree of this.#trees) tree.leave();
    this.#keepers.leave();
    this.#end();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.delete();
  }

  #remove(how: (tree: DockerTree) => Promise<void>, grace = 0): Promise<void> {
    return this.#deleted ??= (async () => {
      try {
        await Promise.all([...[...this.#trees].map(how), this.#keepers.stop(grace)]);
        // a change that was under way may have made more
        await this.#busy;
        await removeApp(this.#engine, this.#app);
      } finally {
        for (const tree of this.#trees) tree.leave();
        this.#end();
      }
    })();
  }

  #end(): void {
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#watching.abort();
    this.#events.end();
    this.#lines.end();
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(() => {
      if (this.#deleted) throw stopped(this.#app);
      return change();
    });
    this.#busy = turn.catch(() => {});
    return turn;
  }
}

function stopped(app: string, cause?: unknown): MpError {
  return new MpError("interrupted", `Cannot go on with "${app}": it was stopped`, { cause });
}

function notUpdated(app: string, cause: unknown): MpError {
  const known = cause instanceof MpError ? cause : undefined;
  return new MpError(
    known?.code ?? "launch_failed",
    `Cannot update "${app}", what ran before goes on: ${messageOf(cause)}`,
    { cause, where: known?.where, next: known?.next, replica: known?.replica },
  );
}
