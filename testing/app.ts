/**
 * A topology that runs for a test, as the test sees it. Types only.
 *
 * @module
 */

import type { LogLine, ReplicaState } from "../runtime/launch/driver.ts";
import type { Plan } from "../runtime/plan/plan.ts";

/** A running topology; made by `start()`. Disposing of it ends everything. */
export interface App extends AsyncDisposable {
  /** What runs, as data. */
  readonly plan: Plan;
  /** What the replicas are: instances in this process, or processes. */
  readonly driver: "memory" | "process";
  /**
   * Calls a service: through the door when it is exposed, otherwise as another service would.
   *
   * @param service The service's name; the path of a subservice, `count.scatter`, calls one of its replicas.
   * @param request JSON.
   * @returns A copy of what the service answered; `null` for nothing.
   * @throws {MpError} What the service answered, or `replica_unreachable`, `deadline_exceeded`, ….
   */
  call<R>(service: string, request?: unknown, options?: AppCallOptions): Promise<R>;
  /**
   * Makes an HTTP request to the door.
   *
   * @param path The path, `/healthz`.
   */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /**
   * One replica.
   *
   * @param path A path of the plan, `count.scatter`.
   * @param index The flat index among all replicas of the path. Default: 0.
   * @throws {MpError} When there is none.
   */
  replica(path: string, index?: number): AppReplica;
  /** The network between replicas. */
  readonly network: AppNetwork;
  /** Where scopes live. */
  readonly storage: AppStorage;
  /** What the doors have counted. */
  metrics(): Promise<Metrics>;
  /** Ends everything, at once. */
  close(): Promise<void>;
}

/** Options of {@linkcode App.call}. */
export interface AppCallOptions {
  /** In milliseconds. Default: the service's own. */
  readonly timeout?: number;
  /** The header `Authorization`, for services that ask who calls. */
  readonly authorization?: string;
  /** Name and password, in place of `authorization`. */
  readonly user?: { readonly name: string; readonly password: string };
  readonly idempotencyKey?: string;
}

/** One replica of a running topology. */
export interface AppReplica {
  /** Path and flat index, `count.scatter.3`. */
  readonly name: string;
  readonly path: string;
  readonly index: number;
  readonly state: ReplicaState;
  /** How often it was started again. */
  readonly restarts: number;
  /**
   * Ends it at once, without a word to anybody, as a machine that fails. Resolves when it has ended.
   *
   * By default its supervisor starts it again soon, as in production. With `restart: false` it stays down
   * until `restart()` is called, where the driver can do that.
   */
  kill(options?: { readonly restart?: boolean }): Promise<void>;
  /** Starts it anew; resolves when it is ready. One that runs answers first what it was asked. */
  restart(): Promise<void>;
  /** Stops it in the middle of what it does, as a machine that hangs: nothing reaches it, nothing leaves it. */
  pause(): Promise<void>;
  /** Lets it go on. */
  resume(): Promise<void>;
  /** Resolves when it is ready. */
  ready(signal?: AbortSignal): Promise<void>;
  /** What it has written so far. */
  logs(): readonly LogLine[];
  /** The calls that it was sent by others, in order; those that a door of its own brought are not among them. */
  calls(): readonly ReplicaCall[];
}

/** A call that was sent to a replica. */
export interface ReplicaCall {
  /** The caller: a replica's name, or `client` for the test. */
  readonly from: string;
  readonly request: unknown;
  readonly requestId: string;
  /** What it answered, once it has. */
  readonly response?: unknown;
  /** The error that it answered, once it has. */
  readonly error?: { readonly code: string; readonly message: string };
  /** Whether it has answered. */
  readonly answered: boolean;
}

/**
 * The network between replicas. A side is a path (all its replicas), a replica's name, `client` for the test, or `*`.
 *
 * What a method returns takes it back when it is disposed of.
 */
export interface AppNetwork {
  /** What `from` sends to `to` arrives so much later. */
  delay(from: string, to: string, milliseconds: number): Disposable;
  /**
   * Calls and answers that `from` sends to `to` are lost. Who waits for an answer waits until its deadline.
   *
   * @param options.times How many are lost. Default: all.
   */
  drop(from: string, to: string, options?: { readonly times?: number }): Disposable;
  /** Nothing arrives between the two sides, until it heals; then what waited arrives. */
  partition(one: string, other: string): Disposable;
  /** Ends every connection between the two sides; calls without an answer fail. Connections are made anew. */
  disconnect(one: string, other: string): void;
  /** Takes everything back. */
  heal(): void;
}

/** Where scopes live. */
export interface AppStorage {
  /** The document of a scope; `undefined` when there is none. */
  read<T = Record<string, unknown>>(scope: string): Promise<T | undefined>;
  /** The names of all scopes that have a document, in order. */
  scopes(): Promise<string[]>;
  /** Puts documents into scopes, by name. */
  seed(documents: Readonly<Record<string, object>>): Promise<void>;
  /**
   * The storage fails.
   *
   * @param options.reason `unreachable`: nothing is carried out (the default); `reply_lost`: commits are
   * carried out, and nobody learns of it.
   * @param options.times How many requests fail. Default: all, until it heals.
   * @param options.replica Only for this replica (a path or a name). Default: for all.
   */
  fail(options?: StorageFailure): Disposable;
  /** Every answer of the storage comes so much later. */
  slow(milliseconds: number): Disposable;
  /** Takes failures and delays back. */
  heal(): void;
}

/** How a storage fails. */
export interface StorageFailure {
  readonly reason?: "unreachable" | "reply_lost" | "busy";
  readonly times?: number;
  readonly replica?: string;
}

/** What was counted. */
export interface Metrics {
  readonly samples: readonly Sample[];
  /**
   * The sum of a metric over the samples that have these labels; 0 when there are none.
   *
   * @param name `mp_rpc_requests_total`
   */
  value(name: string, labels?: Readonly<Record<string, string>>): number;
}

/** One figure. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
