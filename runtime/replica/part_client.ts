/**
 * How a router reaches the replicas of one part: the wire's side of `PartClient`.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { Payload } from "../payload.ts";
import type { Peer } from "../peer/peer.ts";
import type { PartClient } from "../topology/target.ts";
import { type CallContext, effectInside } from "./call_context.ts";
import { encodeMeta } from "./call_meta.ts";

/** Options of {@linkcode partClient}. */
export interface PartClientOptions {
  readonly path: string;
  /** How long a call may take, in milliseconds, if its context leaves so much. */
  readonly timeout: number;
  /** All replicas of the part; they may change while the client is used. */
  readonly peers: () => readonly Peer[];
  /** Which of them belong to the caller's instance. Default: all. */
  readonly slice?: { readonly start: number; readonly width: number };
}

/** Makes the client of a part from its peers. */
export function partClient(options: PartClientOptions): PartClient {
  const { path, timeout, peers, slice } = options;
  const start = slice?.start ?? 0;
  return {
    get replicas() {
      return slice?.width ?? peers().length;
    },
    call(index, call) {
      const peer = peers()[start + index];
      if (peer === undefined) return Promise.reject(absent(path, start + index));
      const context = call.context as CallContext;
      // a router that has used a scope would ask its parts again
      if (context.view !== undefined) return Promise.reject(effectInside(`a call to "${path}"`));
      context.effect ??= "a call to a part";
      return peer.call(call.payload.text, {
        timeout: Math.max(1, Math.min(timeout, context.remaining)),
        meta: encodeMeta(context, call.trace),
        ...(context.cancel && { signal: context.cancel }),
      }).then(Payload.ofText);
    },
    pending: (index) => peers()[start + index]?.pending ?? 0,
    available: (index) => peers()[start + index]?.available ?? false,
  };
}

function absent(path: string, index: number): MpError {
  return new MpError(
    "replica_unreachable",
    `Cannot call ${path}.${index}: there is no such replica`,
    {
      replica: `${path}.${index}`,
      reason: "absent",
    },
  );
}
