/**
 * How a router reaches the replicas of one part: the wire's side of `PartClient`.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { Payload } from "../payload.ts";
import type { Peer } from "../peer/peer.ts";
import type { PartClient, RoutedCall } from "../topology/target.ts";
import type { CallContext } from "./call_context.ts";

/** Makes the client of a part from its peers, which may change while it is used. */
export function partClient(
  path: string,
  timeout: number,
  peers: () => readonly Peer[],
): PartClient {
  return {
    get replicas() {
      return peers().length;
    },
    call(index, call: RoutedCall) {
      const peer = peers()[index];
      if (peer === undefined) return Promise.reject(outOfRange(path, index, peers().length));
      const context = call.context as CallContext;
      return peer.call(call.payload.text, {
        timeout: Math.max(1, Math.min(timeout, context.remaining)),
        meta: context.requestId,
      }).then(Payload.ofText);
    },
    pending: (index) => peers()[index]?.pending ?? 0,
    available: (index) => peers()[index]?.available ?? false,
  };
}

function outOfRange(path: string, index: number, replicas: number): MpError {
  return new MpError(
    "replica_unreachable",
    `Cannot call ${path}: it has ${replicas} replicas, not one ${index}`,
    {
      reason: "absent",
    },
  );
}
