/**
 * The one error of `mp` and the one table of its codes.
 *
 * Errors are classed by what the caller should do. A code is literal and stable; the table says which
 * JSON-RPC number it has on the wire, with which status the program exits, and whether the same call
 * may succeed when it is made again.
 *
 * @module
 */

interface CodeRow {
  /** JSON-RPC 2.0 error number. */
  readonly rpc: number;
  /** Exit status of the program: 1 failed, 2 wrong usage. */
  readonly exit: 1 | 2;
  /** Whether the same call, made again later, may succeed. */
  readonly retryable: boolean;
}

const row = (rpc: number, retryable = false, exit: 1 | 2 = 1): CodeRow =>
  Object.freeze({ rpc, exit, retryable });

/** Every code, with what it means outside. */
export const CODES = Object.freeze({
  // JSON-RPC 2.0's own
  parse_error: row(-32700),
  invalid_request: row(-32600),
  method_not_found: row(-32601),
  invalid_params: row(-32602),
  internal_error: row(-32603),
  // a call
  handler_failed: row(-32000),
  deadline_exceeded: row(-32001, true),
  replica_unreachable: row(-32002, true),
  unauthorized: row(-32003),
  overloaded: row(-32004, true),
  scope_conflict: row(-32005, true),
  scope_not_found: row(-32603),
  commit_unknown: row(-32006),
  storage_unavailable: row(-32007, true),
  scope_after_effect: row(-32008),
  invalid_shard_key: row(-32009),
  not_json: row(-32010),
  cancelled: row(-32011, true),
  request_too_large: row(-32012),
  idempotency_key_reused: row(-32013),
  // a topology script
  script_not_found: row(-32603, false),
  script_invalid: row(-32603),
  script_failed: row(-32603),
  script_timeout: row(-32603),
  import_unresolved: row(-32603),
  topology_invalid: row(-32603),
  revision_mismatch: row(-32603),
  // a deployment
  port_in_use: row(-32603),
  launch_failed: row(-32603),
  crash_loop: row(-32603),
  deployment_not_found: row(-32603),
  launcher_unreachable: row(-32603, true),
  state_unwritable: row(-32603),
  engine_unavailable: row(-32603, true),
  cluster_unavailable: row(-32603, true),
  cluster_refused: row(-32603),
  unsupported: row(-32603),
  interrupted: row(-32603),
  // the command line
  usage: row(-32603, false, 2),
});

/** The literal code of an {@linkcode MpError}. */
export type Code = keyof typeof CODES;

/** What an error says besides its message. */
export interface MpErrorOptions {
  /** The error that caused this one. Never crosses the wire. */
  cause?: unknown;
  /** Where it happened, for a person: `topology.ts:3:12`, `histogram-service.scatter.3`. */
  where?: string;
  /** What to do next, for a person; a whole sentence without a full stop. */
  next?: string;
  /** The service in which a call failed. */
  service?: string;
  /** The replica in which a call failed, `histogram-service.scatter.3`. */
  replica?: string;
  /** Why, in one word, where several reasons share a code: `disconnected`, `absent`, … */
  reason?: string;
  /** After how long the same call may be made again, in milliseconds. */
  retryAfter?: number;
}

/** What of an error crosses the wire: no stack, no path of the machine. */
export interface ErrorData {
  readonly code: Code;
  readonly message: string;
  readonly service?: string;
  readonly replica?: string;
  readonly reason?: string;
  readonly retryAfter?: number;
  readonly next?: string;
}

/**
 * The error that `mp` throws for everything but wrong arguments (`TypeError`, `RangeError`).
 *
 * @example Read the code
 * ```ts
 * import { MpError } from "@metaparticle/mp";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new MpError("deadline_exceeded", "Cannot call \"search\": no answer within 30 s");
 * assertEquals(error.code, "deadline_exceeded");
 * assertEquals(error.retryable, true);
 * ```
 */
export class MpError extends Error {
  override readonly name = "MpError";
  readonly code: Code;
  readonly where?: string;
  readonly next?: string;
  readonly service?: string;
  readonly replica?: string;
  readonly reason?: string;
  readonly retryAfter?: number;

  constructor(code: Code, message: string, options: MpErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.where = options.where;
    this.next = options.next;
    this.service = options.service;
    this.replica = options.replica;
    this.reason = options.reason;
    this.retryAfter = options.retryAfter;
  }

  /** Whether the same call, made again later, may succeed. */
  get retryable(): boolean {
    return CODES[this.code].retryable;
  }

  /** What of this error crosses the wire. */
  toData(): ErrorData {
    const { code, message, service, replica, reason, retryAfter, next } = this;
    return {
      code,
      message,
      ...(service !== undefined && { service }),
      ...(replica !== undefined && { replica }),
      ...(reason !== undefined && { reason }),
      ...(retryAfter !== undefined && { retryAfter }),
      ...(next !== undefined && { next }),
    };
  }

  /** The error that came over the wire as `data`; an unknown code becomes `internal_error`. */
  static fromData(data: ErrorData): MpError {
    const { message, service, replica, reason, retryAfter, next } = data;
    const code = Object.hasOwn(CODES, data.code) ? data.code : "internal_error";
    return new MpError(code, message, { service, replica, reason, retryAfter, next });
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  try {
    // not all that is thrown as an error is one
    const message = (thrown as { readonly message?: unknown } | null | undefined)?.message;
    return typeof message === "string" ? message : String(thrown);
  } catch {
    return "a value that cannot be shown";
  }
}

/**
 * Why the system refused something to do with a file: `Permission denied (os error 13): open '…'` says the
 * path once more, so the first part is enough.
 */
export function systemReason(thrown: unknown): string {
  const reason = messageOf(thrown).split(/ \(os error|: [a-z]+ '/)[0]!;
  return reason.charAt(0).toLowerCase() + reason.slice(1);
}
