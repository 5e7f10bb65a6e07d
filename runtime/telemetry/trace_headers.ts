/**
 * W3C Trace Context: what tells the spans of one trace, wherever they are made, that they belong
 * together. Pure.
 *
 * @module
 */

/** A position in a trace, by the names of the headers that carry it. */
export interface TraceHeaders {
  /** `00-<trace>-<span>-<flags>`. */
  readonly traceparent: string;
  /** What tracing systems add, passed on as it is. */
  readonly tracestate?: string;
}

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);
/** What must be passed on at least; longer ones may be dropped. */
const LONGEST_STATE = 512;

/**
 * Reads the headers of a caller, of which nothing is trusted.
 *
 * @returns `undefined` where they are no trace context. A state that is none is dropped alone.
 */
export function readTraceHeaders(
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceHeaders | undefined {
  if (traceparent === undefined || traceparent.length > 256) return undefined;
  const [, version, trace, span, , more] = PARENT.exec(traceparent) ?? [];
  if (version === undefined || version === "ff" || trace === NO_TRACE || span === NO_SPAN) {
    return undefined;
  }
  // what a later version adds is none of this one's business; of its own it has nothing more
  if (more !== undefined && version === "00") return undefined;
  return { traceparent, ...(isState(tracestate) && { tracestate }) };
}

/** The id of the trace, 32 hexadecimal digits. */
export function traceIdOf({ traceparent }: TraceHeaders): string {
  return traceparent.slice(3, 35);
}

function isState(state: string | undefined): state is string {
  return state !== undefined && state.length <= LONGEST_STATE && /^[\x20-\x7e]+$/.test(state);
}
