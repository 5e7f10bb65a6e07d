/**
 * What the endpoint needs of the services behind it. Types only.
 *
 * @module
 */

import type { Payload } from "../payload.ts";

/** The services behind an endpoint. */
export interface RpcService {
  /** The methods that there are. Asked when a method is met that was not there before. */
  methods(): Iterable<RpcMethod>;
  /**
   * Answers one call. Called with names that `methods()` has.
   *
   * @returns The result; without a promise where nothing had to be waited for.
   * @throws {MpError} What becomes the error of the reply; anything else becomes `handler_failed`.
   */
  call(method: string, payload: Payload, meta: CallMeta): Promise<Payload> | Payload;
  /**
   * Whether calls can be answered now; with `once`, or could be before. Who sends callers asks that way, for what
   * is missing later fails only those calls that need it.
   */
  ready(once: boolean): Readiness | Promise<Readiness>;
}

/** One method. */
export interface RpcMethod {
  /** The service's name. */
  readonly name: string;
  /** The subservice that answers, `histogram-service.gather`. */
  readonly path?: string;
  readonly description?: string;
}

/** Whether calls can be answered, and what they wait for. */
export interface Readiness {
  readonly ready: boolean;
  /** What is not there yet, for people: names of replicas, or of the storage. */
  readonly missing: readonly string[];
}

/**
 * What a caller said about a call besides the call itself. Each is looked up when it is read, so read
 * only what is used, once, and before the call is answered.
 */
export interface CallMeta {
  /** When the call had arrived as a whole, by `performance.now()`. */
  readonly arrived: number;
  /** Header `X-Request-Id`, at most 128 characters of it; what is not visible ASCII is replaced. */
  readonly requestId: string | undefined;
  /** Header `X-Timeout-Ms`. @throws {MpError} `invalid_request` when it is no positive number. */
  readonly timeoutMs: number | undefined;
  /**
   * Header `Idempotency-Key`; for a call of a batch, with its place in the batch.
   *
   * @throws {MpError} `invalid_request` when it is longer than 255 characters.
   */
  readonly idempotencyKey: string | undefined;
  /** Header `Authorization`, not trusted; several arrive as one, joined by commas. */
  readonly authorization: string | undefined;
  /** Header `traceparent` of W3C Trace Context, not validated. */
  readonly traceparent: string | undefined;
  /** Header `tracestate`, the same. */
  readonly tracestate: string | undefined;
  /** Aborts when the caller goes away before the reply. Costs half the throughput of what reads it. */
  readonly signal: AbortSignal;
  /**
   * Set by a service that refuses a call for want of credentials: how to give them. A response that holds
   * the error of that call alone has status 401, and this as its header `WWW-Authenticate`.
   */
  challenge: string | undefined;
  /**
   * Set when a call is refused for want of capacity: after how many milliseconds it may be made again. A
   * response that holds the error of that call alone has status 503, and this as its header `Retry-After`.
   */
  retryAfter: number | undefined;
}
