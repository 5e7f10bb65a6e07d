/**
 * How one replica calls others: the parts that its pattern routes to, and services by name.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import type { ReplicaInfo } from "../topology/context.ts";
import type { TraceHeaders } from "../telemetry/trace_headers.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import { pickReplica } from "../topology/pick_replica.ts";
import type { ServiceCallOptions } from "../topology/service.ts";
import type { PartClient } from "../topology/target.ts";
import type { Placed } from "../topology/walk.ts";
import { CallContext, newRequestId } from "./call_context.ts";
import { partClient } from "./part_client.ts";
import type { Switchboard } from "./switchboard.ts";
import { tracedPart } from "./traced.ts";

/** Options of {@linkcode Network}. */
export interface NetworkOptions {
  readonly switchboard: Switchboard;
  /** Every subservice. */
  readonly places: readonly Placed[];
  readonly replica: ReplicaInfo;
  /** The replica's flat index. */
  readonly index: number;
  /** Makes spans of calls, where telemetry is on. */
  readonly tracing?: Tracing;
  /** Told before the script's code calls a service. @throws When it must not. */
  readonly onEffect: (what: string) => void;
}

/** See the module's documentation. */
export class Network {
  #options: NetworkOptions;
  #services = new Map<string, PartClient>();
  #pick = pickReplica("least-loaded");

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** The clients of the parts that this replica's pattern routes to, by name. */
  parts(place: Placed): Record<string, PartClient> {
    const { switchboard, places, index, tracing } = this.#options;
    const isRoot = place.path === rootOf(places, place.service)?.path;
    // the replicas of a service's own router share its parts; any other instance owns a slice of them
    const clients: Record<string, PartClient> = {};
    for (const [name, path] of Object.entries(place.parts)) {
      const { timeout, width } = places.find((part) => part.path === path)!;
      const client = partClient({
        path,
        timeout,
        peers: () => switchboard.peers(path, "part"),
        ...(!isRoot && { slice: { start: index * width, width } }),
      });
      clients[name] = tracedPart(client, tracing, { path, first: isRoot ? 0 : index * width });
    }
    return clients;
  }

  /**
   * Calls a subservice on any of its replicas.
   *
   * @throws {MpError} What it answered, or `replica_unreachable`, ….
   */
  callPath(path: string, payload: Payload, context: CallContext): Promise<Payload> {
    const part = this.#client(path);
    if (part.replicas === 0) {
      return Promise.reject(
        new MpError("replica_unreachable", `Cannot call "${path}": it has no replicas`, {
          reason: "absent",
        }),
      );
    }
    return part.call(this.#pick(part), { request: undefined, payload, context });
  }

  /** Calls a service by name; the call that is being answered lends it its deadline and request id. */
  callService(service: string, payload: Payload, options: ServiceCallOptions): Promise<Payload> {
    const { places, replica, onEffect, tracing } = this.#options;
    try {
      onEffect(`a call to "${service}"`);
    } catch (error) {
      return Promise.reject(error);
    }
    const root = rootOf(places, service);
    if (root === undefined) {
      return Promise.reject(
        new MpError(
          "method_not_found",
          `Cannot call "${service}": the topology has no such service`,
        ),
      );
    }
    const caller = CallContext.current;
    const context = new CallContext({
      service,
      replica,
      timeout: Math.min(options.timeout ?? root.timeout, caller?.remaining ?? Infinity),
      requestId: caller?.requestId ?? newRequestId(),
      ...(caller?.user !== undefined && { user: caller.user }),
      ...(options.idempotencyKey !== undefined && { idempotencyKey: options.idempotencyKey }),
      trace: traceOf(caller, tracing),
      ...(options.signal && { cancel: options.signal }),
    });
    return this.callPath(root.path, payload, context);
  }

  #client(path: string): PartClient {
    let client = this.#services.get(path);
    if (client === undefined) {
      const { switchboard, places, tracing } = this.#options;
      const timeout = places.find((place) => place.path === path)?.timeout ?? Infinity;
      const peers = () => switchboard.peers(path, "service");
      client = tracedPart(partClient({ path, timeout, peers }), tracing, { path });
      this.#services.set(path, client);
    }
    return client;
  }
}

/** Where in a trace a call of the script's code is made: in the span that it has made itself, if it has. */
function traceOf(
  caller: CallContext | undefined,
  tracing: Tracing | undefined,
): TraceHeaders | undefined {
  const current = tracing?.current();
  if (current === undefined) return caller?.trace;
  const tracestate = caller?.trace?.tracestate;
  return tracestate === undefined ? current : Object.assign(current, { tracestate });
}

/** The subservice that receives a service's requests: the first that the walk yields for it. */
export function rootOf(places: readonly Placed[], service: string): Placed | undefined {
  return places.find((place) => place.service === service);
}
