/**
 * Waits for the pods of a tree, and finds out why some will never be ready.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { MpError } from "../../runtime/errors.ts";
import { replicaLabel } from "../../runtime/plan/replica_labels.ts";
import type { KubeClient } from "./api/kube_client.ts";
import type { KubernetesManifest } from "./manifest.ts";
import type { PodWatch } from "./pod_watch.ts";
import { findShortage, findStuck, type RolloutContext } from "./rollout.ts";

/** Options of {@linkcode untilReady}. */
export interface UntilReadyOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly watch: PodWatch;
  readonly signal?: AbortSignal;
}

/** How often it is asked why pods are missing, in milliseconds. */
const ASK = 2_000;

/** Resolves when every replica of a tree is ready. @throws {MpError} Why one will never be. */
export async function untilReady(
  { app, plan, tree, workloads }: KubernetesManifest,
  { client, namespace, watch, signal }: UntilReadyOptions,
): Promise<void> {
  const { board } = watch;
  const context: RolloutContext = {
    client,
    namespace,
    app,
    label: (replica) => replicaLabel(plan, replica),
  };
  const asking = new AbortController();
  let shortage: MpError | undefined;
  const ask = async () => {
    while (!asking.signal.aborted) {
      await delay(ASK, { signal: asking.signal });
      const isMissing = board.listed && board.status(tree).length > board.of(tree).length;
      if (!isMissing) continue;
      shortage = await findShortage(workloads, context, asking.signal);
      if (shortage) return watch.wake();
    }
  };
  const asked = ask().catch(() => {});
  try {
    await watch.until(async () => {
      const stuck = shortage ?? await findStuck(board.of(tree), context, Date.now());
      if (stuck) throw stuck;
      return board.listed && board.status(tree).every(({ state }) => state === "ready");
    }, signal);
  } finally {
    asking.abort();
    await asked;
  }
}
