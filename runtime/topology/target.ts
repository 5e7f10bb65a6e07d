/**
 * The contract between a topology script, the patterns and the runtime: what a service is made of.
 *
 * @module
 */

import type { Payload } from "../payload.ts";
import type { Context } from "./context.ts";

/**
 * The user's function that answers a request.
 *
 * @typeParam Q The request, JSON.
 * @typeParam R The response, JSON.
 */
export type Handler<Q, R> = (request: Q, context: Context) => R | Promise<R>;

/** The parts under a subservice, by name, to any depth. */
export interface Parts {
  readonly [name: string]: Parts;
}

/** No parts: what lies under a handler. */
export type NoParts = Record<never, never>;

/**
 * What one part of a pattern is.
 *
 * - `"none"`: any replica can answer any request, and replicas come and go one by one.
 * - `"indexed"`: a replica may depend on its index and on how many there are.
 * - `"keyed"`: as `indexed`, and requests are placed by a key, so another count moves keys.
 */
export type PartState = "none" | "indexed" | "keyed";

/** One part of a pattern: `replicas` instances of a target for every instance of its parent. */
export interface Part {
  readonly replicas: number;
  readonly state: PartState;
  readonly target: AnyTarget;
}

/** One call as a pattern's router sees it. */
export interface RoutedCall<Q = unknown> {
  /** The decoded request. */
  readonly request: Q;
  /** The same request, to be passed on; encoded once however often it is sent. */
  readonly payload: Payload;
  readonly context: Context;
}

/** Replicas of which one is to be chosen, numbered from 0. */
export interface Candidates {
  readonly replicas: number;
  /** How many calls replica `index` has not answered yet. */
  pending(index: number): number;
  /** Whether there is a connection to replica `index`, over which it has answered lately and without fail. */
  available(index: number): boolean;
}

/** Chooses the index of a replica. */
export type PickReplica = (candidates: Candidates) => number;

/** How a router reaches the replicas of one of its parts. */
export interface PartClient extends Candidates {
  /** How many replicas this router's instance has of the part. */
  readonly replicas: number;
  /**
   * Calls replica `index`, from 0 to `replicas - 1`.
   *
   * @param options How long it may take, in milliseconds; no longer than the part's own timeout allows.
   * @returns The reply, not yet decoded.
   * @throws {MpError} What the replica answered, or `replica_unreachable`, or `deadline_exceeded`.
   */
  call(index: number, call: RoutedCall, options?: { readonly timeout?: number }): Promise<Payload>;
  /**
   * Calls any replica: the one that is picked, and as far as the options allow it another one when the first
   * cannot answer, or takes long.
   *
   * @returns The reply, not yet decoded.
   * @throws {MpError} As `call()`.
   */
  callAny(pick: PickReplica, call: RoutedCall): Promise<Payload>;
  /** The name of replica `index`, `histogram-service.scatter.3`. */
  name(index: number): string;
}

/** What a service made of a pattern is. The phantom `types` carry the types of the parts, never a value. */
export interface PatternTarget<
  // deno-lint-ignore no-explicit-any -- a router takes any request that its parts take
  Q = any,
  R = unknown,
  Router extends string = string,
  Children extends Parts = Parts,
> {
  /** The pattern's name, for people: `scatter`. */
  readonly pattern: string;
  /** The part that receives the service's requests. */
  readonly router: { readonly name: Router; readonly replicas: number };
  readonly parts: Readonly<Record<string, Part>>;
  readonly options: TargetOptions;
  /** Answers one request by calling parts. The reply is a value, or the payload of a part as it came. */
  route(
    call: RoutedCall<Q>,
    parts: Readonly<Record<string, PartClient>>,
  ): Promise<R | Payload> | R | Payload;
  readonly types?: {
    readonly request: (request: Q) => void;
    readonly response: R;
    readonly children: Children;
  };
}

/** What a service or a part can be made of. `Children` are the parts that the part then has under it. */
export type Target<Q, R, Children extends Parts = NoParts> =
  | Handler<Q, R>
  | PatternTarget<Q, R, string, Children>;

// deno-lint-ignore no-explicit-any -- targets of every request and response type stand side by side in a tree
export type AnyTarget = Handler<any, any> | PatternTarget<any, any, string, any>;

/** Options that every target and service takes. */
export interface TargetOptions {
  /** Whether callers outside the deployment may call it; with `port`, on a fixed port of its own. Default: `false`. */
  readonly expose?: Expose;
  /** How many replicas of the router (or of a plain handler) run. Default: 1. */
  readonly replicas?: number;
  /** How long a call may take, in milliseconds. Default: 30,000. */
  readonly timeout?: number;
  /**
   * Whether a call that is carried out twice does no harm. Such calls are made once more, too, when it is not
   * known whether they have begun, as when the replica ends meanwhile. Default: `false`.
   */
  readonly idempotent?: boolean;
  /** How often a call is made once more, at most, when it could not be answered. Default: 2. */
  readonly retries?: number;
  /**
   * Makes a call that has no answer yet on a second replica, and takes the first answer. For what is
   * idempotent and has several replicas any of which can answer.
   */
  readonly hedge?: Hedge;
  /** How many calls each replica of a handler answers at a time. Default: 10,000. */
  readonly maxConcurrent?: number;
  /** How many more wait there for their turn; others are refused as `overloaded`. Default: as many again. */
  readonly maxQueued?: number;
  /**
   * The scopes that its handlers use, by name. Those that a replica does not know yet are loaded together before
   * a handler begins; without that each costs a run of the handler that is done again.
   */
  readonly scopes?: readonly string[];
  /** Environment variables of its replicas. */
  readonly env?: Readonly<Record<string, string>>;
  /** What its replicas may use, where the driver can limit it. */
  readonly resources?: Resources;
}

/** When a call is made on a second replica. */
export interface Hedge {
  /**
   * After so many milliseconds, or when it has taken longer than 95 of 100 calls lately. No more than one
   * call in five is made twice.
   */
  readonly after: number | "p95";
}

/** Whether, and where, a subservice is exposed. */
export type Expose = boolean | ExposeOptions;

/** Where a subservice is exposed. */
export interface ExposeOptions {
  /** A fixed port of its own; without it, it is found at the deployment's port. */
  readonly port?: number;
  /** How it is reached from outside a cluster; elsewhere it says nothing. Default: `ClusterIP`. */
  readonly type?: DoorType;
}

/** The type of a Kubernetes Service. */
export type DoorType = "ClusterIP" | "NodePort" | "LoadBalancer";

/** What a replica may use. */
export interface Resources {
  /** Processors, e.g. `0.5`. */
  readonly cpu?: number;
  /** Memory in MiB. */
  readonly memory?: number;
}
