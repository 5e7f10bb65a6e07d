/**
 * Follows the objects of a kind: a list, then a watch, and again whenever the watch is cut off.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { MpError } from "../../../runtime/errors.ts";
import type { Identified, KubeObject } from "../kube_object.ts";
import { statusOf } from "./api_error.ts";
import type { KubeClient, Selection } from "./kube_client.ts";
import type { Kind } from "./resources.ts";

/** Options of {@linkcode follow}. */
export interface FollowOptions extends Selection {
  readonly signal: AbortSignal;
  /** How long to pause before a watch that failed is begun again, in milliseconds. Default: 1,000. */
  readonly pause?: number;
}

/**
 * Gives all objects of a kind, again after each change, until `signal` aborts.
 *
 * @throws {MpError} What will not pass: missing rights, a cluster that is gone at the start.
 */
export async function* follow<T extends Identified = KubeObject>(
  client: KubeClient,
  kind: Kind,
  options: FollowOptions,
): AsyncGenerator<readonly T[]> {
  const { signal, pause = 1_000 } = options;
  const known = new Map<string, T>();
  let version: string | undefined;
  let begun = false;
  const keyOf = ({ metadata }: Identified) => `${metadata.namespace}/${metadata.name}`;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const { items, resourceVersion } = await client.list<T>(kind, options);
        known.clear();
        for (const item of items) known.set(keyOf(item), item);
        version = resourceVersion;
        begun = true;
        yield [...known.values()];
      }
      for await (const { type, object } of client.watch<T>(kind, version, options)) {
        version = object.metadata.resourceVersion ?? version;
        if (type === "BOOKMARK") continue;
        if (type === "DELETED") known.delete(keyOf(object));
        else known.set(keyOf(object), object);
        yield [...known.values()];
      }
    } catch (error) {
      if (signal.aborted) return;
      const status = statusOf(error);
      // what happened meanwhile is forgotten there: begin with a list
      if (status === 410) version = undefined;
      else if (!begun || !isPassing(error)) throw error;
      await delay(pause, { signal }).catch(() => {});
    }
  }
}

function isPassing(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined) return status === 429 || status >= 500;
  // a connection that broke
  return !(error instanceof MpError) || error.code === "cluster_unavailable";
}
