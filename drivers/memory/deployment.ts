/**
 * A plan that runs in this process.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type {
  Deployment,
  DeploymentEvent,
  LogLine,
  ReplicaId,
} from "../../runtime/launch/driver.ts";
import { feed } from "../../runtime/launch/feed.ts";
import { doorApp } from "../../runtime/replica/door.ts";
import type { Replica } from "../../runtime/replica/replica.ts";
import type { RpcApp } from "../../runtime/rpc/app.ts";
import { HttpDoors } from "./http_doors.ts";
import type { LoadedForm } from "./load_form.ts";
import type { MemoryManifest } from "./manifest.ts";
import type { MemoryReplica } from "./memory_replica.ts";
import { MemoryTree, type TreeSurroundings } from "./memory_tree.ts";
import type { MemoryNetwork } from "./network.ts";

/** A deployment whose replicas can be reached into. */
export interface MemoryDeployment extends Deployment<MemoryManifest> {
  readonly network: MemoryNetwork;
  /** What replicas show each other when they connect. */
  readonly secret: string;
  /** @throws {MpError} When there is none. */
  replica(id: ReplicaId): MemoryReplica;
  /** Answers what comes in through a door. @throws {MpError} `replica_unreachable` */
  fetch(door: number, request: Request): Promise<Response>;
  /** Ends it at once. */
  kill(): void;
}

/** What a deployment is made of. */
export interface MemoryDeploymentOptions
  extends Omit<TreeSurroundings, "tree" | "app" | "script" | "loaded" | "onLine" | "onStatus"> {
  readonly load: (manifest: MemoryManifest) => Promise<LoadedForm>;
  readonly makeApp: (options: ReturnType<typeof doorApp>) => RpcApp;
  readonly grace: number;
  readonly signal?: AbortSignal;
}

/** Launches a manifest. */
export function launchMemory(
  manifest: MemoryManifest,
  options: MemoryDeploymentOptions,
): MemoryDeployment {
  const { network, load, makeApp, grace, signal, secret } = options;
  const events = feed<DeploymentEvent>();
  const lines = feed<LogLine>();
  const apps = new WeakMap<Replica, RpcApp[]>();
  let count = 0;
  let deleted: Promise<void> | undefined;
  const plant = async (manifest: MemoryManifest): Promise<MemoryTree> =>
    new MemoryTree(manifest, {
      ...options,
      tree: ++count,
      app: manifest.plan.app,
      script: manifest.files.script,
      loaded: await load(manifest),
      onLine: lines.put,
      onStatus: (status) => events.put({ ...status, time: Date.now() }),
    });
  let current: MemoryTree | undefined;
  let busy: Promise<unknown> = Promise.resolve();
  /** Changes wait for each other. */
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const turn = busy.then(() => {
      if (deleted) throw stopped(manifest.plan.app);
      return change();
    });
    busy = turn.catch(() => {});
    return turn;
  };
  const tree = () => {
    if (current === undefined || deleted) throw stopped(manifest.plan.app);
    return current;
  };
  const fetch = async (door: number, request: Request): Promise<Response> => {
    const { node, methods } = tree().manifest.plan.doors[door]!;
    return await tree().replica({ path: node, index: 0 }).whileRunning(async (replica) => {
      const known = apps.get(replica) ?? [];
      apps.set(replica, known);
      return await (known[door] ??= makeApp(doorApp(replica, methods))).fetch(request);
    });
  };
  const doors = new HttpDoors(fetch);
  const end = async () => {
    signal?.removeEventListener("abort", kill);
    await doors.close();
    network.close();
    events.end();
    lines.end();
  };
  const kill = () => {
    current?.stop();
    deleted ??= end();
  };
  const launched = (async () => {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", kill, { once: true });
    const first = await plant(manifest);
    if (deleted) throw stopped(manifest.plan.app, signal?.reason);
    current = first;
    await first.start();
    doors.open(first.book);
    if (deleted) throw stopped(manifest.plan.app, signal?.reason);
  })();
  launched.catch(kill); // nothing is left of a launch that failed
  return {
    network,
    secret,
    get book() {
      return current?.book ?? manifest.book;
    },
    async ready(signal) {
      await withSignal(launched, signal);
    },
    status: () => current?.status() ?? [],
    events: (signal) => events.read(signal),
    lines: (signal) => lines.read(signal),
    replica: (id) => tree().replica(id),
    fetch,
    restart: (id) => inTurn(() => within(grace, (signal) => tree().restart(id, signal))),
    scale: (_book, rendered) =>
      inTurn(() => within(grace, (signal) => tree().scale(rendered, signal))),
    update: (_book, rendered) =>
      inTurn(async () => {
        const old = tree();
        const next = await plant(rendered);
        try {
          await next.start();
          doors.open(next.book);
        } catch (error) {
          next.stop();
          throw error;
        }
        current = next;
        doors.open(next.book, { closeOthers: true });
        await within(grace, (signal) => old.drain(signal));
      }),
    kill,
    delete: () =>
      deleted ??= (async () => {
        await launched.catch(() => {});
        await busy;
        await doors.close();
        await within(grace, async (signal) => await current?.drain(signal));
        await end();
      })(),
    [Symbol.asyncDispose]() {
      return this.delete();
    },
  };
}

/** Runs something whose signal aborts after some milliseconds. */
async function within(
  milliseconds: number,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), milliseconds);
  try {
    await run(late.signal);
  } finally {
    clearTimeout(timer);
  }
}

function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function stopped(app: string, cause?: unknown): MpError {
  return new MpError("interrupted", `Cannot go on with "${app}": it was stopped`, { cause });
}
