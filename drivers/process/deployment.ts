/**
 * A deployment of the process driver: the tree of replicas that runs, and the one that replaces it.
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
  ReplicaId,
  ReplicaStatus,
} from "../../runtime/launch/driver.ts";
import { feed } from "../../runtime/launch/feed.ts";
import { LogWriter } from "../../runtime/launch/log_writer.ts";
import type { ProcessManifest } from "./manifest.ts";
import { orphanGuard } from "./orphan_guard.ts";
import { Tree, type TreeOptions } from "./tree.ts";

/** Options of {@linkcode launchProcesses}. */
export interface ProcessLaunchOptions extends LaunchOptions {
  readonly policy?: TreeOptions["policy"];
  /** Whether a door can move to another process without a gap. Default: where the system can. */
  readonly takesOver?: boolean;
}

/** How long a door that was taken over goes on with the connections that it has, in milliseconds. */
const LINGER = 1_000;
/** How often it is tried to open a door that another process has not closed yet, in milliseconds. */
const GAP = 20;

/**
 * Starts the processes of a manifest.
 *
 * @throws {MpError} `state_unwritable` when the tree's folder cannot be written.
 */
export function launchProcesses(
  manifest: ProcessManifest,
  options: ProcessLaunchOptions,
): Deployment<ProcessManifest> {
  const { grace = 10_000, signal, takesOver = Deno.build.os === "linux" } = options;
  const guard = orphanGuard();
  const logs = new LogWriter(options.logs, { warn: options.warn });
  const events = feed<DeploymentEvent>();
  const lines = feed<LogLine>();
  const trees = new Set<Tree>();
  let count = 0;

  const plant = (manifest: ProcessManifest, doors: TreeOptions["doors"]): Tree => {
    const tree = new Tree({
      manifest,
      number: ++count,
      doors,
      guard,
      policy: options.policy,
      onStatus: (status) => events.put({ ...status, time: Date.now() }),
      onLine(line) {
        lines.put(line);
        return logs.write(line);
      },
    });
    try {
      tree.start();
    } catch (error) {
      tree.kill();
      throw error;
    }
    trees.add(tree);
    return tree;
  };
  const fell = async (tree: Tree, how: Promise<void>) => {
    await how;
    trees.delete(tree);
  };

  const first = plant(manifest, "open");
  let current = first;
  let deleted: Promise<void> | undefined;
  // changes of the deployment wait for each other, so that there are never more than two trees
  let busy: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const turn = busy.then(() => {
      if (deleted) throw stopped(manifest.app);
      return change();
    });
    busy = turn.catch(() => {});
    return turn;
  };

  const remove = (how: (tree: Tree) => Promise<void>): Promise<void> => {
    const all = Promise.all([...trees].map((tree) => fell(tree, how(tree))));
    return deleted ??= all.then(async () => {
      signal?.removeEventListener("abort", abort);
      await busy;
      await logs.close();
      await guard.close();
      events.end();
      lines.end();
    });
  };
  const abort = () => void remove((tree) => tree.kill());

  const launched = first.ready().catch(async (error) => {
    // another tree has become ready in its place
    if (current !== first && !deleted) return;
    // nothing is left of a launch that failed
    await remove((tree) => tree.kill());
    throw signal?.aborted ? stopped(manifest.app, signal.reason) : error;
  }).finally(() => signal?.removeEventListener("abort", abort));
  launched.catch(() => {});
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });

  return {
    get book(): AddressBook {
      return current.manifest.book;
    },
    ready: (signal) => signal ? withSignal(launched, signal) : launched,
    status: (): ReplicaStatus[] => [...trees].flatMap((tree) => tree.status()),
    events: (signal) => events.read(signal),
    lines: (signal) => lines.read(signal),
    restart: (id: ReplicaId) => inTurn(() => current.restart(id, grace)),
    scale: (_book, rendered) => inTurn(() => current.scale(rendered, grace)),
    update: (_book, rendered) =>
      inTurn(async () => {
        const old = current;
        let next: Tree | undefined;
        try {
          next = plant(rendered, "later");
          await next.ready();
          await moveDoors(old, next, takesOver, grace);
        } catch (error) {
          if (next) await fell(next, next.kill());
          throw deleted ? stopped(manifest.app) : notUpdated(manifest.app, error);
        }
        current = next;
        await fell(old, old.drain(grace, takesOver ? LINGER : 0));
      }),
    delete: () => deleted ?? remove((tree) => tree.drain(grace)),
    [Symbol.asyncDispose]() {
      return this.delete();
    },
  };
}

async function moveDoors(old: Tree, next: Tree, takesOver: boolean, grace: number): Promise<void> {
  if (takesOver) {
    return await next.openDoors(new Set(old.manifest.book.doors.map(({ address }) => address)));
  }
  // elsewhere two processes cannot share a port well: there is a gap between the old door and the new
  let closed = false;
  const closing = old.closeDoors(grace).then(() => closed = true);
  for (;;) {
    const last = closed;
    try {
      return await next.openDoors(new Set());
    } catch (error) {
      if (!last && error instanceof MpError && error.code === "port_in_use") {
        // a door stops listening long before the last of its calls is answered
        await Promise.race([closing, delay(GAP)]);
        continue;
      }
      await closing;
      old.reopenDoors();
      throw error;
    }
  }
}

function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
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

function notUpdated(app: string, cause: unknown): MpError {
  const known = cause instanceof MpError ? cause : undefined;
  return new MpError(
    known?.code ?? "launch_failed",
    `Cannot update "${app}", what ran before goes on: ${messageOf(cause)}`,
    { cause, where: known?.where, next: known?.next, replica: known?.replica },
  );
}
