/**
 * A deployment in a cluster: the tree of replicas that runs, and the one that replaces it.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type {
  Deployment,
  DeploymentEvent,
  LaunchOptions,
  LogLine,
  LogOptions,
  ReplicaId,
  ReplicaStatus,
} from "../../runtime/launch/driver.ts";
import { feed } from "../../runtime/launch/feed.ts";
import { LogWriter } from "../../runtime/launch/log_writer.ts";
import { allObjects, boardTree, type KubernetesManifest } from "./manifest.ts";
import type { Cluster } from "./open_cluster.ts";
import { podHistory } from "./pod_history.ts";
import { PodLines } from "./pod_lines.ts";
import { POD } from "./pod_status.ts";
import { ended, PodWatch } from "./pod_watch.ts";
import { readOrder } from "./render_order.ts";
import { scaleTree } from "./scale_tree.ts";
import { TreeObjects } from "./tree_objects.ts";
import { untilReady } from "./until_ready.ts";

/** Options of {@linkcode KubeDeployment}. */
export interface KubeDeploymentOptions extends LaunchOptions, Cluster {
  /** Whether its pods were there before, so that only what they write from now on is told. */
  readonly recovered: boolean;
}

/** See the module's documentation. */
export class KubeDeployment implements Deployment<KubernetesManifest> {
  #options: KubeDeploymentOptions;
  #manifest: KubernetesManifest;
  #trees: TreeObjects;
  #watch: PodWatch;
  #pods: PodLines;
  #logs: LogWriter;
  #lines = feed<LogLine>();
  #busy: Promise<unknown> = Promise.resolve();
  #deleted: Promise<void> | undefined;

  constructor(manifest: KubernetesManifest, options: KubeDeploymentOptions) {
    const { client, namespace, recovered, signal } = options;
    const { app } = manifest;
    this.#options = options;
    this.#manifest = manifest;
    this.#trees = new TreeObjects({ client, namespace, app, warn: (text) => this.#warn(text) });
    this.#logs = new LogWriter(options.logs, { warn: options.warn });
    this.#watch = new PodWatch({
      client,
      namespace,
      app,
      signal,
      onSeen: (seen) => this.#pods.take(seen),
    });
    this.#pods = new PodLines({
      client,
      namespace,
      since: new Date(recovered ? Date.now() : 0),
      signal: this.#watch.signal,
      onLine: (line) => {
        this.#lines.put(line);
        return this.#logs.write(line);
      },
    });
    this.#watch.board.add(boardTree(manifest));
    this.#watch.start();
  }

  get book(): AddressBook {
    return this.#manifest.book;
  }

  /** Applies everything. @throws {MpError} Whatever the cluster refuses; nothing is left then. */
  async launch(): Promise<void> {
    const { signal } = this.#options;
    try {
      await this.#trees.plant(this.#manifest, signal);
      await this.#trees.objects.apply(this.#manifest.doors, { signal });
    } catch (error) {
      await this.#trees.remove(this.#manifest.tree).catch(() => {});
      await this.#trees.prune().catch(() => {});
      await this.#end();
      throw signal?.aborted ? interrupted(this.#manifest.app) : error;
    }
  }

  /** Resolves when its pods are known. @throws {MpError} Why they cannot be. */
  async known(): Promise<void> {
    await this.#watch.until(() => this.#watch.board.listed);
  }

  async ready(signal?: AbortSignal): Promise<void> {
    await this.#untilReady(this.#manifest, signal);
  }

  status(): ReplicaStatus[] {
    return this.#watch.board.status(this.#manifest.tree);
  }

  events(signal?: AbortSignal): AsyncIterable<DeploymentEvent> {
    return this.#watch.events(signal);
  }

  lines(signal?: AbortSignal): AsyncIterable<LogLine> {
    return this.#lines.read(signal);
  }

  async *logs(options: LogOptions): AsyncGenerator<LogLine> {
    const { follow = false, replica = () => true, signal } = options;
    const { board } = this.#watch;
    // what is written meanwhile comes after
    const fresh = this.#lines.read(signal);
    await this.#watch.until(() => board.listed, signal);
    const last = new Map<string, number>();
    const history = await podHistory(board.of(this.#manifest.tree), this.#options, options);
    for (const line of history) {
      last.set(`${line.path}.${line.index}`, line.time);
      yield line;
    }
    if (!follow) return;
    for await (const line of fresh) {
      if (!replica(line) || line.time <= (last.get(`${line.path}.${line.index}`) ?? 0)) continue;
      yield line;
    }
  }

  async restart({ path, index }: ReplicaId): Promise<void> {
    await this.#change(async () => {
      const { board } = this.#watch;
      const { client, namespace } = this.#options;
      const find = () =>
        board.of(this.#manifest.tree).find((one) =>
          one.path === path && one.index === index && one.judgement.state !== "draining"
        );
      await this.#watch.until(() => board.listed);
      const old = find();
      if (old === undefined) throw absent({ path, index });
      await client.delete({ ...POD, name: old.pod.metadata.name, namespace });
      board.restarted({ path, index });
      await this.#watch.until(() => {
        const now = find();
        return now !== undefined && now.pod.metadata.uid !== old.pod.metadata.uid &&
          now.judgement.state === "ready";
      });
    });
  }

  async scale(_book: AddressBook, rendered: KubernetesManifest): Promise<void> {
    await this.#change(async () => {
      const { client, namespace } = this.#options;
      await scaleTree(this.#manifest, rendered, {
        client,
        namespace,
        watch: this.#watch,
        trees: this.#trees,
        warn: (text) => this.#warn(text),
        onManifest: (manifest) => this.#manifest = manifest,
      });
      this.#watch.tell();
    });
  }

  async update(_book: AddressBook, rendered: KubernetesManifest): Promise<void> {
    await this.#change(async () => {
      this.#checkPlace(rendered);
      if (readOrder(rendered.settings).recreate) await this.#recreate(rendered);
      else await this.#replace(rendered);
    });
  }

  delete(): Promise<void> {
    return this.#deleted ??= this.#delete();
  }

  async leave(): Promise<void> {
    await this.#busy;
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.delete();
  }

  async #delete(): Promise<void> {
    // what is under way would make again what is deleted; it sees that it is over
    this.#watch.cease();
    try {
      await this.#trees.removeAll();
    } finally {
      await this.#end();
    }
  }

  async #end(): Promise<void> {
    await this.#watch.end();
    await this.#pods.ended();
    await this.#logs.close();
    this.#watch.endEvents();
    this.#lines.end();
    this.#options.client.close();
  }

  /** A deployment stays where it is. @throws {MpError} `usage`. */
  #checkPlace({ app, settings }: KubernetesManifest): void {
    const order = readOrder(settings);
    for (const what of ["context", "namespace"] as const) {
      const [to, from] = [order[what], this.#options[what]];
      if (to === undefined || to === from) continue;
      throw new MpError("usage", `Cannot run "${app}" in ${what} "${to}": it runs in "${from}"`, {
        next: `Stop it there with mp delete ${app}, or give this one another name with --name`,
      });
    }
  }

  /** The new tree beside the old; when it is ready the doors move, and the old one drains. */
  async #replace(rendered: KubernetesManifest): Promise<void> {
    const before = this.#manifest;
    const { board } = this.#watch;
    board.add(boardTree(rendered));
    try {
      await this.#trees.plant(rendered);
      await this.#untilReady(rendered);
      await this.#trees.objects.apply(rendered.doors);
    } catch (error) {
      board.remove(rendered.tree);
      await this.#trees.uproot(rendered.tree, before);
      throw error;
    }
    this.#manifest = rendered;
    this.#watch.tell();
    await this.#trees.remove(before.tree);
    board.remove(before.tree);
    await this.#trees.prune(rendered);
  }

  /** The old tree ends before the new one begins. */
  async #recreate(rendered: KubernetesManifest): Promise<void> {
    const before = this.#manifest;
    const { board } = this.#watch;
    await this.#trees.objects.checkOwn(allObjects(rendered));
    await this.#trees.remove(before.tree);
    board.remove(before.tree);
    board.add(boardTree(rendered));
    this.#manifest = rendered;
    await this.#trees.plant(rendered);
    await this.#trees.objects.apply(rendered.doors);
    await this.#trees.prune(rendered);
    await this.#untilReady(rendered);
  }

  async #untilReady(manifest: KubernetesManifest, signal?: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    await untilReady(manifest, { client, namespace, watch: this.#watch, signal });
  }

  /** Changes wait for each other, so that there are never more than two trees. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(() => {
      if (this.#watch.over) throw ended(this.#manifest.app);
      return change();
    });
    this.#busy = turn.catch(() => {});
    return turn;
  }

  #warn(message: string): void {
    const { app } = this.#manifest;
    this.#options.warn?.(new MpError("cluster_unavailable", `"${app}": ${message}`));
  }
}

function absent({ path, index }: ReplicaId): MpError {
  return new MpError(
    "deployment_not_found",
    `Cannot restart ${path}.${index}: there is no such replica`,
    { next: "See what runs with mp ps" },
  );
}

function interrupted(app: string): MpError {
  return new MpError("interrupted", `Cannot run "${app}": it was interrupted`);
}
