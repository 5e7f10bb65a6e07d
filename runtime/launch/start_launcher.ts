/**
 * The launcher: assigns, renders, launches and supervises one deployment, and serves those who ask for it.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Plan } from "../plan/plan.ts";
import type { StorageConfig } from "../storage/storage_config.ts";
import { showStorage } from "../storage/storage_url.ts";
import type { AppLock } from "./app_lock.ts";
import { checkScale } from "./check_scale.ts";
import {
  assignOrder,
  type Deployed,
  type DeployTools,
  doorOf,
  handleOf,
  launchAssigned,
  replaceDeployed,
  scaleDeployed,
} from "./deployed.ts";
import type { Deployment, DeploymentHandle, Recovered, ReplicaId } from "./driver.ts";
import { toErrorRecord } from "./error_record.ts";
import { feed } from "./feed.ts";
import { checkUpdate, judgeChange } from "./judge_change.ts";
import type {
  DeployOrder,
  Launcher,
  LauncherStatus,
  News,
  ScaleOrder,
  UpdateOutcome,
} from "./launcher.ts";
import { ownProcess, type ProcessIdentity } from "./process_identity.ts";
import { type ControlServer, serveControl } from "./serve_control.ts";

/** What a launcher works with. */
export interface LauncherOptions extends DeployTools {
  /** The app's lock, which the launcher gives back when it ends. One that takes a deployment up has none. */
  readonly lock?: AppLock;
  /** Makes a change while nobody else makes one. Default: at once, for who has the lock. */
  exclusively?<T>(change: () => Promise<T>): Promise<T>;
  /** Plans a bundle again with other counts. */
  replan(order: DeployOrder, widths: Readonly<Record<string, number>>): Promise<Plan>;
  readonly signal?: AbortSignal;
  /** Told what takes long before there are news. */
  readonly tell?: (text: string) => void;
  /** How long a replica may drain before it is killed, in milliseconds. */
  readonly grace?: number;
}

/** A launcher in this process. */
export interface LocalLauncher extends Launcher {
  readonly handle: DeploymentHandle;
  /** Whether it has been, or is being, deleted. */
  readonly isDeleted: boolean;
  /** Resolves when the deployment is deleted, whoever asked for it, or left. */
  readonly ended: Promise<void>;
  /** Ends, and lets the deployment go on; only where it outlives its launcher. */
  leave(): Promise<void>;
}

/**
 * Launches what is ordered, and becomes its launcher. Replicas are on their way when it resolves.
 *
 * @throws {MpError} `port_in_use`, `launch_failed`, `state_unwritable`; nothing is left then.
 */
export async function startLauncher(
  order: DeployOrder,
  options: LauncherOptions & { readonly lock: AppLock },
): Promise<LocalLauncher> {
  const { state, lock } = options;
  const { app } = order.plan;
  try {
    await state.clear(app); // what an earlier launcher left that was killed
    const launcher = new ProcessLauncher(options, await ownProcess());
    try {
      await launcher.start(order);
    } catch (error) {
      await launcher.delete();
      await launcher.ended;
      await state.removeUnused(app);
      throw error;
    }
    return launcher;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Becomes the launcher of a deployment that goes on without one, for as long as this process wants. */
export async function adoptLauncher(
  recovered: Recovered,
  options: LauncherOptions,
): Promise<LocalLauncher> {
  const launcher = new ProcessLauncher(options, await ownProcess());
  launcher.adopt(recovered);
  return launcher;
}

class ProcessLauncher implements LocalLauncher {
  readonly ended: Promise<void>;

  #options: LauncherOptions;
  #process: ProcessIdentity;
  #current!: Deployed;
  #deployment: Deployment | undefined;
  /** Resolves when there is a deployment; commands may come before. */
  #launched = Promise.withResolvers<Deployment>();
  #control: ControlServer | undefined;
  /** Fetches the text of the bundle, where only its hash is known. */
  #bundle: Recovered["bundle"] | undefined;
  #news = feed<News>({ missed: (count) => ({ kind: "missed", count }) });
  /** Changes are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #deleting: Promise<void> | undefined;
  #end!: () => void;

  constructor(options: LauncherOptions, process: ProcessIdentity) {
    this.#options = options;
    this.#process = process;
    this.ended = new Promise((resolve) => this.#end = resolve);
  }

  get isDeleted(): boolean {
    return this.#deleting !== undefined;
  }

  get handle(): DeploymentHandle {
    return handleOf(this.#current);
  }

  async start(order: DeployOrder): Promise<void> {
    const { signal, grace } = this.#options;
    this.#control = serveControl(this);
    this.#current = await assignOrder(order, this.#options);
    await this.#record();
    signal?.throwIfAborted();
    const warn = (warning: MpError) =>
      this.#news.put({ kind: "warning", error: toErrorRecord(warning) });
    let launched = false;
    const tell = (text: string) => {
      // nobody reads the news before the launch is done
      if (!launched && this.#options.tell) this.#options.tell(text);
      else this.#news.put({ kind: "progress", text });
    };
    const options = { signal, grace, warn, tell };
    this.#take(await launchAssigned(this.#current, this.#options, options));
    launched = true;
  }

  adopt({ deployment, note, bundle }: Recovered): void {
    const { order, book, tree, scaled, handle: { created } } = note;
    const { script } = order.bundle;
    this.#bundle = bundle;
    this.#current = {
      order: { ...order, bundle: { ...order.bundle, code: "", map: "" } },
      book,
      tree,
      scaled,
      created,
      files: { bundle: "", sourceMap: "", script },
    };
    this.#take(deployment);
  }

  #take(deployment: Deployment): void {
    this.#deployment = deployment;
    this.#launched.resolve(deployment);
    this.#tell(deployment.events(), (event) => ({ kind: "replica", event }));
    this.#tell(deployment.lines(), (line) => ({ kind: "line", line }));
  }

  status(): Promise<LauncherStatus> {
    const { plan, version, storage } = this.#current.order;
    const replicas = this.#deployment?.status() ?? [];
    return Promise.resolve({
      handle: this.handle,
      plan,
      version,
      pid: Deno.pid,
      stopping: this.isDeleted,
      ...(storage && {
        storage: { name: storage.storage, address: showStorage(storage) },
      }),
      replicas,
    });
  }

  storage(): Promise<StorageConfig | null> {
    return Promise.resolve(this.#current.order.storage ?? null);
  }

  async ready(signal?: AbortSignal): Promise<void> {
    await (await this.#running()).ready(signal);
  }

  update(order: DeployOrder): Promise<UpdateOutcome> {
    return this.#inTurn(async () => {
      checkUpdate(this.#current.order, order);
      const scaled = order.keepScale ? this.#current.scaled : {};
      return await this.#apply(await this.#replanned(order, scaled), scaled);
    });
  }

  scale(scaling: ScaleOrder): Promise<UpdateOutcome> {
    return this.#inTurn(async () => {
      const { order } = this.#current;
      checkScale(order.plan, scaling);
      const scaled = { ...this.#current.scaled, [scaling.path]: scaling.replicas };
      return await this.#apply(
        await this.#replanned({ ...order, host: undefined, port: undefined }, scaled),
        scaled,
      );
    });
  }

  async restart(replicas: readonly ReplicaId[]): Promise<void> {
    const deployment = await this.#running();
    await this.#exclusively(() =>
      Promise.all(replicas.map((replica) => deployment.restart(replica)))
    );
  }

  news(signal: AbortSignal): AsyncIterable<News> {
    return this.#news.read(signal);
  }

  delete(): Promise<void> {
    return this.#deleting ??= this.#exclusively(() => this.#delete());
  }

  leave(): Promise<void> {
    return this.#deleting ??= this.#leave();
  }

  async #leave(): Promise<void> {
    const { state, lock } = this.#options;
    await this.#deployment?.leave?.();
    // what is not the launcher's any more is not to be found here
    if (lock) await state.clear(this.#current.order.plan.app);
    this.#close();
  }

  #close(): void {
    this.#options.lock?.release();
    this.#news.end();
    // not awaited: whoever asked over the control socket gets the answer first
    (this.#control?.close() ?? Promise.resolve()).then(this.#end);
  }

  #exclusively<T>(change: () => Promise<T>): Promise<T> {
    const { exclusively } = this.#options;
    return exclusively ? exclusively(change) : change();
  }

  async #delete(): Promise<void> {
    const { state } = this.#options;
    this.#news.put({ kind: "stopping" });
    // whoever waits for a deployment that never came to be
    this.#launched.promise.catch(() => {});
    this.#launched.reject(isBeingDeleted());
    try {
      await this.#deployment?.delete();
      if (this.#current) await state.clear(this.#current.order.plan.app);
    } finally {
      this.#news.put({ kind: "stopped" });
      this.#close();
    }
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      await this.#running();
      return await this.#exclusively(async () => {
        await this.#complete();
        return await change();
      });
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #running(): Promise<Deployment> {
    const deployment = await this.#launched.promise;
    if (!this.#deleting) return deployment;
    throw isBeingDeleted();
  }

  /** Gets the bundle's text, which changes need, where a deployment was taken up. */
  async #complete(): Promise<void> {
    if (this.#bundle === undefined) return;
    const { order } = this.#current;
    const bundle = { ...order.bundle, ...await this.#bundle() };
    this.#bundle = undefined;
    this.#current = { ...this.#current, order: { ...order, bundle } };
  }

  /** The order with counts of `mp scale` in its plan. */
  async #replanned(
    order: DeployOrder,
    scaled: Readonly<Record<string, number>>,
  ): Promise<DeployOrder> {
    if (Object.keys(scaled).length === 0) return order;
    return { ...order, plan: await this.#options.replan(order, { ...order.widths, ...scaled }) };
  }

  async #apply(order: DeployOrder, scaled: Deployed["scaled"]): Promise<UpdateOutcome> {
    const { plan } = order;
    const from = { order: this.#current.order, door: doorOf(this.#current) };
    const door = { host: order.host ?? from.door.host, port: order.port || from.door.port };
    const how = judgeChange(from, { order, door });
    if (how === "unchanged") {
      this.#current = { ...this.#current, scaled };
      return { how, handle: this.handle, plan };
    }
    this.#news.put({ kind: "updating", plan, how });
    try {
      const change = how === "in place" ? scaleDeployed : replaceDeployed;
      const deployment = await this.#running();
      const to = { order, door, scaled };
      this.#current = await change(this.#current, to, deployment, this.#options);
      await this.#record();
      const outcome = { how, handle: this.handle, plan };
      this.#news.put({ kind: "updated", outcome });
      return outcome;
    } catch (error) {
      if (!this.#deleting) this.#news.put({ kind: "update failed", error: toErrorRecord(error) });
      throw error;
    }
  }

  async #record(): Promise<void> {
    const { order } = this.#current;
    if (this.#control === undefined) return;
    const { address, secret, folder } = this.#control;
    await this.#options.state.write({
      handle: this.handle,
      plan: order.plan,
      version: order.version,
      launcher: this.#process,
      control: { address, secret },
      sockets: folder,
    });
  }

  /** Hands on what the deployment tells, until it is deleted. */
  async #tell<T>(items: AsyncIterable<T>, news: (item: T) => News): Promise<void> {
    for await (const item of items) this.#news.put(news(item));
  }
}

function isBeingDeleted(): MpError {
  return new MpError("deployment_not_found", "Cannot reach the deployment: it is being deleted");
}
