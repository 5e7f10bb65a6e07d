/**
 * A deployment in a cluster: the tree of replicas that runs, and the one that replaces it.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { messageOf, MpError } from "../../runtime/errors.ts";
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
import { replicaLabel } from "../../runtime/plan/replica_labels.ts";
import { follow } from "./api/follow.ts";
import { idOf, type KubeClient } from "./api/kube_client.ts";
import { AppObjects } from "./app_objects.ts";
import { atOnce } from "./at_once.ts";
import type { KubeObject } from "./kube_object.ts";
import { LABEL, selectorOf } from "./labels.ts";
import { allObjects, type KubernetesManifest } from "./manifest.ts";
import { bookConfigMap } from "./objects/config_maps.ts";
import { SECRET_FILE } from "./objects/secrets.ts";
import { PodBoard } from "./pod_board.ts";
import { podHistory } from "./pod_history.ts";
import { PodLines } from "./pod_lines.ts";
import type { Pod } from "./pod_status.ts";
import { readOrder } from "./render_order.ts";
import { findShortage, findStuck, type RolloutContext } from "./rollout.ts";

/** Where a deployment is, and how it is treated. */
export interface ClusterPlace {
  readonly client: KubeClient;
  /** The name of the context. */
  readonly context: string;
  readonly namespace: string;
  /** Whether the tree before ends first, where there is no room for two. */
  readonly recreate: boolean;
}

/** Options of {@linkcode KubeDeployment}. */
export interface KubeDeploymentOptions extends LaunchOptions, ClusterPlace {
  /** Whether its pods were there before, so that only what they write from now on is told. */
  readonly recovered: boolean;
}

const POD = { apiVersion: "v1", kind: "Pod" };
/** How long pods may take to go, beside what they are given to drain, in milliseconds. */
const GOING = 180_000;
/** How often it is asked why pods are missing, in milliseconds. */
const ASK = 2_000;

/** See the module's documentation. */
export class KubeDeployment implements Deployment<KubernetesManifest> {
  #options: KubeDeploymentOptions;
  #objects: AppObjects;
  #manifest: KubernetesManifest;
  #board = new PodBoard();
  #logs: LogWriter;
  #events = feed<DeploymentEvent>();
  #lines = feed<LogLine>();
  #told = new Map<string, string>();
  #watching = new AbortController();
  #watched: Promise<void>;
  #pods: PodLines;
  /** Why pods cannot be watched any more. */
  #fault: unknown;
  #waiting = new Set<() => void>();
  #busy: Promise<unknown> = Promise.resolve();
  #deleted: Promise<void> | undefined;

  constructor(manifest: KubernetesManifest, options: KubeDeploymentOptions) {
    const { client, namespace, recovered } = options;
    this.#options = options;
    this.#manifest = manifest;
    this.#objects = new AppObjects({ client, namespace, app: manifest.app });
    this.#board.add(boardTree(manifest));
    this.#logs = new LogWriter(options.logs, { warn: options.warn });
    this.#pods = new PodLines({
      client,
      namespace,
      since: new Date(recovered ? Date.now() : 0),
      signal: this.#watching.signal,
      onLine: (line) => {
        this.#lines.put(line);
        return this.#logs.write(line);
      },
    });
    this.#watched = this.#watch();
  }

  get book(): AddressBook {
    return this.#manifest.book;
  }

  /** Applies everything. @throws {MpError} Whatever the cluster refuses; nothing is left then. */
  async launch(): Promise<void> {
    const { signal } = this.#options;
    try {
      await this.#plant(this.#manifest, signal);
      await this.#objects.apply(this.#manifest.doors, { signal });
    } catch (error) {
      await this.#removeTree(this.#manifest.tree).catch(() => {});
      await this.#prune(new Set()).catch(() => {});
      await this.#end();
      throw signal?.aborted ? interrupted(this.#manifest.app) : error;
    }
  }

  /** Resolves when its pods are known. @throws {MpError} Why they cannot be. */
  async known(): Promise<void> {
    await this.#until(() => this.#board.listed);
  }

  async ready(signal?: AbortSignal): Promise<void> {
    await this.#ready(this.#manifest, signal);
  }

  status(): ReplicaStatus[] {
    return this.#board.status(this.#manifest.tree);
  }

  events(signal?: AbortSignal): AsyncIterable<DeploymentEvent> {
    return this.#events.read(signal);
  }

  lines(signal?: AbortSignal): AsyncIterable<LogLine> {
    return this.#lines.read(signal);
  }

  async *logs(options: LogOptions): AsyncGenerator<LogLine> {
    const { follow = false, replica = () => true, signal } = options;
    // what is written meanwhile comes after
    const fresh = this.#lines.read(signal);
    await this.#until(() => this.#board.listed, signal);
    const last = new Map<string, number>();
    for (
      const line of await podHistory(this.#board.of(this.#manifest.tree), this.#options, options)
    ) {
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
      const { tree } = this.#manifest;
      const find = () =>
        this.#board.of(tree).find((one) =>
          one.path === path && one.index === index && one.judgement.state !== "draining"
        );
      await this.#until(() => this.#board.listed);
      const old = find();
      if (old === undefined) {
        throw new MpError(
          "deployment_not_found",
          `Cannot restart ${path}.${index}: there is no such replica`,
          { next: "See what runs with mp ps" },
        );
      }
      const { client, namespace } = this.#options;
      await client.delete({ ...POD, name: old.pod.metadata.name, namespace });
      this.#board.restarted({ path, index });
      await this.#until(() => {
        const now = find();
        return now !== undefined && now.pod.metadata.uid !== old.pod.metadata.uid &&
          now.judgement.state === "ready";
      });
    });
  }

  async scale(book: AddressBook, rendered: KubernetesManifest): Promise<void> {
    await this.#change(async () => {
      const before = this.#manifest;
      const grown = rendered.workloads.filter((one) => countOf(one) > countOf(find(before, one)));
      const shrunk = rendered.workloads.filter((one) => countOf(one) < countOf(find(before, one)));
      const budgets = ({ foundation }: KubernetesManifest) =>
        foundation.filter(({ kind }) => kind === "PodDisruptionBudget");
      this.#board.add(boardTree(rendered));
      try {
        // a replica that starts looks for itself in the book; others pass it over until it answers
        await this.#objects.apply([...files(rendered), ...budgets(rendered)]);
        await this.#resize(grown);
        await this.#ready({ ...rendered, book });
      } catch (error) {
        await this.#scaleBack(before, rendered, grown);
        throw error;
      }
      this.#manifest = rendered;
      await this.#nudge();
      await this.#resize(shrunk);
      await this.#until(() =>
        this.#board.of(rendered.tree).every(({ path, index }) => index < replicasOf(rendered, path))
      );
      this.#tell();
    });
  }

  async update(_book: AddressBook, rendered: KubernetesManifest): Promise<void> {
    await this.#change(async () => {
      this.#checkPlace(rendered);
      const before = this.#manifest;
      if (this.#options.recreate) return await this.#recreate(before, rendered);
      this.#board.add(boardTree(rendered));
      try {
        await this.#plant(rendered);
        await this.#ready(rendered);
        await this.#objects.apply(rendered.doors);
      } catch (error) {
        await this.#uproot(rendered);
        throw error;
      }
      this.#manifest = rendered;
      this.#tell();
      await this.#removeTree(before.tree);
      this.#board.remove(before.tree);
      await this.#prune(namesOf(rendered));
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
    this.#wake();
    try {
      const trees = new Set([this.#manifest.tree]);
      for (const { metadata: { labels = {} } } of await this.#objects.list()) {
        if (labels[LABEL.tree]) trees.add(labels[LABEL.tree]!);
      }
      for (const tree of trees) await this.#removeTree(tree);
      await this.#prune(new Set());
    } finally {
      await this.#end();
    }
  }

  async #end(): Promise<void> {
    this.#watching.abort();
    this.#wake();
    await this.#watched;
    await this.#pods.ended();
    await this.#logs.close();
    this.#events.end();
    this.#lines.end();
    this.#options.client.close();
  }

  /** Gives workloads their numbers of pods, and leaves the pods as they are: another `mp` may render others. */
  async #resize(workloads: readonly KubeObject[]): Promise<void> {
    const { client } = this.#options;
    await atOnce(workloads, 8, async (one) => {
      await client.merge(idOf(this.#objects.here(one)), { spec: { replicas: countOf(one) } });
    });
  }

  /** Makes a tree as it was before it was scaled. Those that know the new book follow a newer one. */
  async #scaleBack(
    before: KubernetesManifest,
    { book: { generation } }: KubernetesManifest,
    grown: readonly KubeObject[],
  ): Promise<void> {
    const book = { ...before.book, generation: generation + 1 };
    this.#board.add(boardTree(before));
    try {
      await this.#resize(grown.map((one) => find(before, one)!));
      const { namespace } = this.#options;
      const { app, tree, plan: { revision } } = before;
      await this.#objects.apply([bookConfigMap(book, { namespace, app, tree, revision })]);
      this.#manifest = { ...before, book };
      await this.#nudge();
    } catch (error) {
      this.#warn(`it could not be scaled back: ${messageOf(error)}`);
    }
  }

  /** A deployment stays where it is. @throws {MpError} `usage`. */
  #checkPlace({ app, settings }: KubernetesManifest): void {
    const { context, namespace } = readOrder(settings);
    const own = this.#options;
    const move = namespace !== undefined && namespace !== own.namespace
      ? ["namespace", namespace, own.namespace]
      : context !== undefined && context !== own.context
      ? ["context", context, own.context]
      : undefined;
    if (!move) return;
    const [what, to, from] = move;
    throw new MpError("usage", `Cannot run "${app}" in ${what} "${to}": it runs in "${from}"`, {
      next: `Stop it there first with mp delete ${app}, or give this one another name with --name`,
    });
  }

  /** Makes everything of a tree but its doors. */
  async #plant(manifest: KubernetesManifest, signal?: AbortSignal): Promise<void> {
    if (manifest.problem) throw manifest.problem;
    const objects = [...manifest.foundation, ...(manifest.note ? [manifest.note] : [])];
    const there = await this.#objects.checkOwn(allObjects(manifest), signal);
    const names = new Set(there.filter(({ immutable }) => immutable).map(keyOf));
    await this.#objects.apply(objects.filter((one) => !names.has(keyOf(one))).map(withSecret), {
      signal,
    });
    await this.#objects.apply(manifest.workloads, { signal });
  }

  /** Removes a tree that did not become ready, while another goes on. */
  async #uproot(manifest: KubernetesManifest): Promise<void> {
    this.#board.remove(manifest.tree);
    try {
      await this.#objects.delete(await this.#objects.list(manifest.tree));
      await this.#prune(namesOf(this.#manifest));
    } catch (error) {
      this.#warn(`what is left of the update could not be removed: ${messageOf(error)}`);
    }
  }

  async #recreate(before: KubernetesManifest, rendered: KubernetesManifest): Promise<void> {
    await this.#objects.checkOwn(allObjects(rendered));
    await this.#removeTree(before.tree);
    this.#board.remove(before.tree);
    this.#board.add(boardTree(rendered));
    this.#manifest = rendered;
    await this.#plant(rendered);
    await this.#objects.apply(rendered.doors);
    await this.#prune(namesOf(rendered));
    await this.#ready(rendered);
  }

  /** Drains a tree: who takes calls from outside ends first, then those that it called. */
  async #removeTree(tree: string): Promise<void> {
    const objects = await this.#objects.list(tree);
    const workloads = objects.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
    const hasDoor = ({ spec }: KubeObject) =>
      (spec as { template?: Template } | undefined)?.template?.metadata?.labels?.[LABEL.door] !==
        undefined;
    const doors = workloads.filter(hasDoor);
    const routers = workloads.filter((one) => !hasDoor(one) && one.kind === "Deployment");
    const rest = workloads.filter((one) => !hasDoor(one) && one.kind === "StatefulSet");
    for (const wave of [doors, routers, rest]) {
      await this.#objects.delete(wave);
      await this.#gone(tree, new Set(wave.map(({ metadata }) => metadata.labels?.[LABEL.path])));
    }
    await this.#objects.delete(objects.filter((one) => !workloads.includes(one)));
  }

  /** Resolves when parts have no pods, or they take too long. */
  async #gone(tree: string, paths: ReadonlySet<string | undefined>): Promise<void> {
    if (paths.size === 0) return;
    const { client, namespace } = this.#options;
    const labels = selectorOf({ app: this.#manifest.app, tree });
    const giveUp = AbortSignal.timeout(GOING);
    try {
      const options = { namespace, labels, signal: giveUp };
      for await (const pods of follow<Pod>(client, POD, options)) {
        if (!pods.some(({ metadata }) => paths.has(metadata.labels?.[LABEL.path]))) return;
      }
    } catch (error) {
      if (!giveUp.aborted) throw error;
    }
    this.#warn(`pods of ${[...paths].join(", ")} take long to end; they are left to the cluster`);
  }

  /** Removes what no tree needs any more. */
  async #prune(kept: ReadonlySet<string>): Promise<void> {
    const objects = await this.#objects.list();
    await this.#objects.delete(objects.filter((one) => !kept.has(keyOf(one))));
  }

  /** Has the nodes look at the address book now; by themselves they do within a minute or two. */
  async #nudge(): Promise<void> {
    const { client, namespace } = this.#options;
    const { tree, book: { generation } } = this.#manifest;
    const annotations = { "metaparticle.io/generation": String(generation) };
    const pods = this.#board.of(tree).filter(({ judgement }) => judgement.state !== "draining");
    await atOnce(pods, 8, async ({ pod: { metadata: { name } } }) => {
      // who may not do this waits a little longer
      await client.merge({ ...POD, name, namespace }, { metadata: { annotations } }).catch(
        () => {},
      );
    });
  }

  /** Resolves when every replica of a tree is ready. */
  async #ready(manifest: KubernetesManifest, signal?: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    const { app, plan, tree } = manifest;
    const context: RolloutContext = {
      client,
      namespace,
      app,
      label: (replica) => replicaLabel(plan, replica),
    };
    const asking = new AbortController();
    let shortage: MpError | undefined;
    const missing = () =>
      this.#board.status(tree).length > this.#board.of(tree).length && this.#board.listed;
    const ask = async () => {
      while (!asking.signal.aborted) {
        await delay(ASK, { signal: asking.signal });
        if (!missing()) continue;
        shortage = await findShortage(manifest.workloads, context, asking.signal);
        if (shortage) return this.#wake();
      }
    };
    const asked = ask().catch(() => {});
    try {
      await this.#until(async () => {
        const seen = this.#board.of(tree);
        const stuck = shortage ?? await findStuck(seen, context, Date.now());
        if (stuck) throw stuck;
        return this.#board.listed &&
          this.#board.status(tree).every(({ state }) => state === "ready");
      }, signal);
    } finally {
      asking.abort();
      await asked;
    }
  }

  /** Resolves when something is so; looks again whenever pods change. */
  async #until(holds: () => boolean | Promise<boolean>, signal?: AbortSignal): Promise<void> {
    const aborted = AbortSignal.any([
      ...(signal ? [signal] : []),
      ...(this.#options.signal && !this.#deleted ? [this.#options.signal] : []),
    ]);
    for (;;) {
      aborted.throwIfAborted();
      const changed = Promise.withResolvers<void>();
      this.#waiting.add(changed.resolve);
      aborted.addEventListener("abort", changed.resolve as () => void, { once: true });
      try {
        if (this.#fault !== undefined) throw this.#fault;
        if (this.#watching.signal.aborted || this.#deleted) throw ended(this.#manifest.app);
        if (await holds()) return;
        await changed.promise;
      } finally {
        this.#waiting.delete(changed.resolve);
        aborted.removeEventListener("abort", changed.resolve as () => void);
      }
    }
  }

  /** Changes wait for each other, so that there are never more than two trees. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(() => {
      if (this.#deleted || this.#watching.signal.aborted) throw ended(this.#manifest.app);
      return change();
    });
    this.#busy = turn.catch(() => {});
    return turn;
  }

  async #watch(): Promise<void> {
    const { client, namespace } = this.#options;
    const labels = selectorOf({ app: this.#manifest.app });
    const { signal } = this.#watching;
    try {
      for await (const pods of follow<Pod>(client, POD, { namespace, labels, signal })) {
        this.#board.take(pods);
        this.#pods.take(this.#board.seen);
        this.#tell();
        this.#wake();
      }
    } catch (error) {
      this.#fault = error;
      this.#wake();
    }
  }

  /** Tells what has changed of each replica. */
  #tell(): void {
    for (const status of this.#board.statuses()) {
      const key = `${status.tree} ${status.path}.${status.index}`;
      const text = JSON.stringify(status);
      if (this.#told.get(key) === text) continue;
      this.#told.set(key, text);
      this.#events.put({ ...status, time: Date.now() });
    }
  }

  #wake(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }

  #warn(message: string): void {
    const { app } = this.#manifest;
    this.#options.warn?.(new MpError("cluster_unavailable", `"${app}": ${message}`));
  }
}

interface Template {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
}

function boardTree({ tree, number, plan }: KubernetesManifest) {
  return { name: tree, number, plan };
}

function keyOf(object: KubeObject): string {
  const { kind, name } = idOf(object);
  return `${kind} ${name}`;
}

function namesOf(manifest: KubernetesManifest): Set<string> {
  const note = manifest.note ? [manifest.note] : [];
  return new Set([...allObjects(manifest), ...note].map(keyOf));
}

function find({ workloads }: KubernetesManifest, { metadata: { name } }: KubeObject) {
  return workloads.find((one) => one.metadata.name === name);
}

function countOf(workload: KubeObject | undefined): number {
  return Number(workload?.spec?.replicas ?? 0);
}

function replicasOf({ plan }: KubernetesManifest, path: string): number {
  return plan.nodes.find((node) => node.path === path)?.replicas ?? 0;
}

/** What of a tree changes when it is scaled: the address book, and the note. */
function files({ foundation, note, book }: KubernetesManifest): KubeObject[] {
  const books = foundation.filter(({ data }) => data?.["book.json"] !== undefined);
  return book && note ? [...books, note] : books;
}

/** The deployment's secret is made when it is needed, and stays with its tree. */
function withSecret(object: KubeObject): KubeObject {
  if (object.kind !== "Secret" || object.data?.[SECRET_FILE] === undefined) return object;
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { ...object, data: { ...object.data, [SECRET_FILE]: btoa(text) } };
}

function ended(app: string): MpError {
  return new MpError("deployment_not_found", `Cannot go on with "${app}": it is deleted`);
}

function interrupted(app: string): MpError {
  return new MpError("interrupted", `Cannot run "${app}": it was interrupted`);
}
