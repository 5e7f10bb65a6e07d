/**
 * What a handler knows about the call that it answers.
 *
 * @module
 */

import type { TraceHeaders } from "../telemetry/trace_headers.ts";

/** Where a call came from and how long it may take. One is made for every call. */
export interface Context {
  /** The name of the service that was called, e.g. `search`. */
  readonly service: string;
  /** The replica that answers. */
  readonly replica: ReplicaInfo;
  /** Who calls, where the service asks for it; otherwise `undefined`. */
  readonly user: string | undefined;
  /** Aborts when the deadline passes or the caller goes away. Made when it is first read. */
  readonly signal: AbortSignal;
  /** When the call must be answered, in milliseconds since the epoch. */
  readonly deadline: number;
  /** The same for every call that one outside call caused. */
  readonly requestId: string;
  /** The caller's key by which the call is carried out at most once, where it has given one. */
  readonly idempotencyKey: string | undefined;
  /**
   * The trace that the call is a part of, as W3C Trace Context has it; `undefined` when there is none. Read it
   * before the call is answered.
   * What is called with these headers is a part of it too: `fetch(url, { headers: { ...context.trace } })`.
   */
  readonly trace: TraceHeaders | undefined;
}

/** A replica, as its own code sees it. */
export interface ReplicaInfo {
  /** The dotted name of its subservice, `search.scatter`. */
  readonly path: string;
  /** Its index among the replicas of its parent's instance, from 0. */
  readonly index: number;
  /** How many replicas its parent's instance has; constant while an indexed replica lives. */
  readonly count: number;
  /** Its name, `search.scatter.3`: path and flat index. */
  readonly name: string;
}
