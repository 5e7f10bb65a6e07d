/**
 * What a caller said about one call of a batch, where it has given an idempotency key.
 *
 * @module
 */

import type { CallMeta } from "./rpc_service.ts";

/** The headers are those of all calls; the key, which is for one call, has the place in the batch behind it. */
export class BatchedMeta implements CallMeta {
  readonly idempotencyKey: string;
  challenge: string | undefined;
  retryAfter: number | undefined;
  #meta: CallMeta;

  constructor(meta: CallMeta, key: string, place: number) {
    this.#meta = meta;
    this.idempotencyKey = `${key}#${place}`;
  }

  get arrived(): number {
    return this.#meta.arrived;
  }

  get requestId(): string | undefined {
    return this.#meta.requestId;
  }

  get timeoutMs(): number | undefined {
    return this.#meta.timeoutMs;
  }

  get authorization(): string | undefined {
    return this.#meta.authorization;
  }

  get traceparent(): string | undefined {
    return this.#meta.traceparent;
  }

  get tracestate(): string | undefined {
    return this.#meta.tracestate;
  }

  get signal(): AbortSignal {
    return this.#meta.signal;
  }
}
