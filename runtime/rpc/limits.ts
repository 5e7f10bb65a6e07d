/** What a caller may send at most. See {@linkcode DEFAULT_LIMITS}. */
export interface RpcLimits {
  /** The longest body, in bytes. */
  readonly maxBody: number;
  /** The most calls in one batch. */
  readonly maxBatch: number;
  /** How deep arrays and objects may be nested, the call's own included. */
  readonly maxDepth: number;
  /** How long a body may take to arrive, in milliseconds. */
  readonly bodyTimeout: number;
}

/**
 * The limits of an endpoint that sets none: 4 MiB, 1,000 calls, 512 levels, 30 s.
 *
 * 512 levels are far more than data has and far less than what exhausts the stack of anything that
 * walks a value.
 */
export const DEFAULT_LIMITS: RpcLimits = Object.freeze({
  maxBody: 4 * 1024 * 1024,
  maxBatch: 1000,
  maxDepth: 512,
  bodyTimeout: 30_000,
});
