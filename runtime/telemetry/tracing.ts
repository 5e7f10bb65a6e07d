/**
 * How calls become spans of a trace. Types only.
 *
 * @module
 */

import type { TraceHeaders } from "./trace_headers.ts";

/** Makes spans. Where telemetry is off there is none of these, and calls cost nothing more. */
export interface Tracing {
  /**
   * Answers a call in a span, to which belong the calls and the lines that are made meanwhile.
   *
   * @param call Is put into the span.
   * @param run Answers it. What it gives, or throws, is given back.
   */
  answer<T>(where: Answering, call: TracedCall, run: () => T): T;
  /**
   * Makes a call of another replica in a span.
   *
   * @param from The trace of the call for which it is made.
   * @param run Makes it, with what tells the other side about the span.
   */
  call<T>(
    where: Calling,
    from: TraceHeaders | undefined,
    run: (trace: TraceHeaders) => Promise<T>,
  ): Promise<T>;
  /** Where the code that asks stands, which may have made spans of its own. */
  current(): TraceHeaders | undefined;
}

/** Who answers. */
export interface Answering {
  /** Whether the call came over the wire between replicas, or in a request that has a span already. */
  readonly from: "replica" | "door";
  /** The subservice that is called, which names the span. */
  readonly path: string;
  /** The replica that answers, `histogram-service.scatter.3`. */
  readonly replica: string;
}

/** Who is called. */
export interface Calling {
  /** The subservice, which names the span. */
  readonly path: string;
  /** The replica. */
  readonly replica: string;
}

/** What of a call is seen in its span. */
export interface TracedCall {
  readonly service: string;
  readonly requestId: string;
  trace: TraceHeaders | undefined;
}
