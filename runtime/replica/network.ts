/**
 * How one replica calls others: the parts that its pattern routes to, and services by name.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import { cancelled } from "../peer/outbound_call.ts";
import type { RpcMetrics } from "../rpc/metrics.ts";
import type { ReplicaInfo } from "../topology/context.ts";
import type { TraceHeaders } from "../telemetry/trace_headers.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import { pickReplica } from "../topology/pick_replica.ts";
import type { ServiceCallOptions } from "../topology/service.ts";
import type { PartClient } from "../topology/target.ts";
import type { CallRules, Placed } from "../topology/walk.ts";
import { CallContext, newRequestId } from "./call_context.ts";
import { partClient } from "./part_client.ts";
import type { Switchboard } from "./switchboard.ts";

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
  readonly metrics: RpcMetrics;
  /** Told before the script's code calls a service. @throws When it must not. */
  readonly onEffect: (what: string) => void;
}

/** For a path that is not there, to which no call succeeds. */
const NO_RULES: CallRules = { timeout: Infinity, idempotent: false, retries: 0, hedge: undefined };

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
    const { switchboard, places, index, metrics, tracing } = this.#options;
    const isRoot = place.path === rootOf(places, place.service)?.path;
    // the replicas of a service's own router share its parts; any other instance owns a slice of them
    const clients: Record<string, PartClient> = {};
    for (const [name, path] of Object.entries(place.parts)) {
      const rules = places.find((part) => part.path === path)!;
      const { width } = rules;
      clients[name] = partClient({
        path,
        rules,
        peers: () => switchboard.peers(path, "part"),
        counters: metrics.part(path),
        tracing,
        ...(!isRoot && { slice: { start: index * width, width } }),
      });
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
    return part.callAny(this.#pick, { request: undefined, payload, context });
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
    const { signal, idempotencyKey } = options;
    const context = new CallContext({
      service,
      replica,
      timeout: Math.min(options.timeout ?? root.timeout, caller?.remaining ?? Infinity),
      requestId: caller?.requestId ?? newRequestId(),
      ...(caller?.user !== undefined && { user: caller.user }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      trace: traceOf(caller, tracing),
      ...(caller && !signal && { parent: caller }),
    });
    if (signal === undefined) return this.callPath(root.path, payload, context);
    return followed(signal, context, caller, () => this.callPath(root.path, payload, context));
  }

  #client(path: string): PartClient {
    let client = this.#services.get(path);
    if (client === undefined) {
      const { switchboard, places, metrics, tracing } = this.#options;
      client = partClient({
        path,
        rules: places.find((place) => place.path === path) ?? NO_RULES,
        peers: () => switchboard.peers(path, "service"),
        counters: metrics.part(path),
        tracing,
      });
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

/** A call that is given up by a signal of its own, as well as with the call in which it is made. */
async function followed<T>(
  signal: AbortSignal,
  context: CallContext,
  caller: CallContext | undefined,
  call: () => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw cancelled(signal);
  const onAbort = () => context.cancel(cancelled(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  caller?.adopt(context);
  try {
    return await call();
  } finally {
    caller?.release(context);
    signal.removeEventListener("abort", onAbort);
  }
}

/** The subservice that receives a service's requests: the first that the walk yields for it. */
export function rootOf(places: readonly Placed[], service: string): Placed | undefined {
  return places.find((place) => place.service === service);
}
