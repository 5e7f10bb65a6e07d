/**
 * What the pods of a deployment write, as it is written.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { LogLine, ReplicaId } from "../../runtime/launch/driver.ts";
import type { KubeClient } from "./api/kube_client.ts";
import type { Seen } from "./pod_board.ts";

/** Options of {@linkcode PodLines}. */
export interface PodLinesOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Lines from before are left out. */
  readonly since: Date;
  readonly signal: AbortSignal;
  /** May ask to be waited for. */
  onLine(line: LogLine): Promise<void> | undefined;
}

/** How long to wait before logs are asked for again that could not be read, in milliseconds. */
const PAUSE = 1_000;

/** Follows the logs of each container that is there. */
export class PodLines {
  #options: PodLinesOptions;
  /** Containers that are followed, by pod and count of starts. */
  #followed = new Map<string, Promise<void>>();

  constructor(options: PodLinesOptions) {
    this.#options = options;
  }

  /** Follows those that have begun since. */
  take(seen: readonly Seen[]): void {
    for (const one of seen) {
      const { uid } = one.pod.metadata;
      const status = one.pod.status?.containerStatuses?.[0];
      const begun = status?.state?.running ?? status?.state?.terminated;
      const key = `${uid}/${status?.restartCount ?? 0}`;
      if (!begun || this.#followed.has(key)) continue;
      this.#followed.set(key, this.#follow(one));
    }
  }

  /** Resolves when nothing is followed any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#followed.values());
  }

  async #follow({ pod, path, index }: Seen): Promise<void> {
    const { client, namespace, signal, onLine, since } = this.#options;
    let last = since.toISOString();
    const { name } = pod.metadata;
    for (let tries = 0; tries < 3 && !signal.aborted; tries++) {
      try {
        const options = { follow: true, timestamps: true, sinceTime: last, signal };
        for await (const line of client.logs({ name, namespace }, options)) {
          const stamp = line.slice(0, line.indexOf(" "));
          // the server counts whole seconds, so some lines come twice
          if (stamp <= last) continue;
          last = stamp;
          await onLine(parsePodLine(line, { path, index }));
        }
        return;
      } catch {
        // the container may not have begun, or the pod is gone
        await delay(PAUSE, { signal }).catch(() => {});
      }
    }
  }
}

/** A line as the cluster keeps it: the time, then what was written. Which stream it was is not kept. */
export function parsePodLine(line: string, { path, index }: ReplicaId): LogLine {
  const space = line.indexOf(" ");
  return {
    path,
    index,
    time: Date.parse(line.slice(0, space)),
    stream: "stdout",
    text: line.slice(space + 1),
  };
}
