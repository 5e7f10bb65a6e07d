/**
 * How a router reaches the replicas of one part: the wire's side of `PartClient`.
 *
 * @module
 */

import type { Payload } from "../payload.ts";
import type { PartClient, PickReplica, RoutedCall } from "../topology/target.ts";
import { Delivery } from "./delivery.ts";
import { PartTraffic, type PartTrafficOptions } from "./part_traffic.ts";

/** Makes the client of a part from its peers. */
export function partClient(options: PartTrafficOptions): PartClient {
  const traffic = new PartTraffic(options);
  const deliver = (
    call: RoutedCall,
    index: number,
    pick: PickReplica | undefined,
    timeout: number,
  ) =>
    new Promise<Payload>((resolve, reject) => {
      new Delivery({ traffic, call, pick, timeout, resolve, reject }).start(index);
    });
  const client: PartClient = {
    get replicas() {
      return traffic.replicas;
    },
    call: (index, call, { timeout = Infinity } = {}) =>
      deliver(call, index, undefined, Math.min(timeout, traffic.timeout)),
    callAny: (pick, call) => deliver(call, pick(client), pick, traffic.timeout),
    pending: (index) => traffic.pending(index),
    available: (index) => traffic.available(index),
    name: (index) => traffic.name(index),
  };
  return client;
}
