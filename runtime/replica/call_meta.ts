/**
 * What goes with a call between replicas: its request id, and behind spaces what else there is to tell,
 * each with a letter that says what it is.
 *
 * @module
 */

import type { TraceHeaders } from "../telemetry/trace_headers.ts";

/** What is told of a call. */
export interface CallOrigin {
  /** Without a space or a tab. */
  readonly requestId: string;
  /** For whom it is made. */
  readonly user?: string;
  readonly idempotencyKey?: string;
  /** The trace that it is a part of. */
  readonly trace?: TraceHeaders;
}

/**
 * Writes what goes with a call.
 *
 * @param trace Where in the trace the call is made. Default: what the origin says.
 */
export function encodeMeta(origin: CallOrigin, trace = origin.trace): string {
  const { requestId, user, idempotencyKey } = origin;
  let meta = requestId;
  if (user !== undefined) meta += ` u${encodeURIComponent(user)}`;
  if (idempotencyKey !== undefined) meta += ` i${encodeURIComponent(idempotencyKey)}`;
  if (trace !== undefined) {
    meta += ` t${trace.traceparent}`;
    if (trace.tracestate !== undefined) meta += ` s${encodeURIComponent(trace.tracestate)}`;
  }
  return meta;
}

/** Reads what went with a call. */
export function decodeMeta(meta: string): CallOrigin {
  let end = meta.indexOf(" ");
  if (end < 0) {
    return { requestId: meta, user: undefined, idempotencyKey: undefined, trace: undefined };
  }
  const requestId = meta.slice(0, end);
  let user: string | undefined;
  let idempotencyKey: string | undefined;
  let traceparent: string | undefined;
  let tracestate: string | undefined;
  while (end >= 0) {
    const start = end + 1;
    end = meta.indexOf(" ", start);
    const text = end < 0 ? meta.slice(start + 1) : meta.slice(start + 1, end);
    switch (meta[start]) {
      case "u":
        user = decodeURIComponent(text);
        break;
      case "i":
        idempotencyKey = decodeURIComponent(text);
        break;
      case "t":
        traceparent = text;
        break;
      case "s":
        tracestate = decodeURIComponent(text);
    }
  }
  const trace = traceparent === undefined
    ? undefined
    : { traceparent, ...(tracestate !== undefined && { tracestate }) };
  return { requestId, user, idempotencyKey, trace };
}
