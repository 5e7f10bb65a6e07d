/**
 * A client's calls over a connection of its own, and what can be concluded from how each ended.
 *
 * `fetch()` will not do here: where a connection that was used before ends without an answer, it sends the same request again
 * by itself, and then nobody can tell how often it was carried out.
 *
 * @module
 */

import { RawConnection } from "../../runtime/rpc/raw_connection.ts";

/** How a call ended. */
export type Ended =
  | { readonly kind: "answered"; readonly result: unknown }
  /** The handler threw: the transaction has read, and changed nothing. */
  | { readonly kind: "threw"; readonly message: string }
  /** It was not carried out, and never will be. */
  | { readonly kind: "failed"; readonly code: string }
  /** Nobody knows. */
  | { readonly kind: "unknown"; readonly code: string };

/** Options of {@linkcode Caller.call}. */
export interface CallOptions {
  /** How long the caller gives the call, in milliseconds. */
  readonly timeout: number;
  readonly idempotencyKey?: string;
}

/** Codes that promise that nothing was changed, now or later. */
const FAILED = ["storage_unavailable", "scope_conflict", "overloaded"];
const UNKNOWN = ["commit_unknown", "replica_unreachable", "deadline_exceeded", "cancelled"];
/** How much longer than it was given a call may take before it is said to hang, in milliseconds. */
const PATIENCE = 30_000;

/** Calls one service, one call at a time. */
export class Caller implements Disposable {
  #port: number;
  #service: string;
  #connection: RawConnection | undefined;

  constructor(url: string, service: string) {
    this.#port = Number(new URL(url).port);
    this.#service = service;
  }

  /**
   * Calls the service.
   *
   * @throws {Error} When the call hangs, or is answered by what no caller should ever see.
   */
  async call(request: unknown, options: CallOptions): Promise<Ended> {
    let connection: RawConnection;
    try {
      connection = this.#connection ??= await RawConnection.open(this.#port);
    } catch {
      return { kind: "failed", code: "refused" };
    }
    let hangs = false;
    const timer = setTimeout(() => {
      hangs = true;
      this.#drop();
    }, options.timeout + PATIENCE);
    try {
      const { headers, body } = await this.#send(connection, request, options);
      if (headers.get("connection") === "close") this.#drop();
      return endOf(request, JSON.parse(body));
    } catch (error) {
      this.#drop();
      if (hangs) throw new Error(`${JSON.stringify(request)} hangs: no answer after its deadline`);
      if (!isLost(error)) throw error;
      return { kind: "unknown", code: "disconnected" };
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(connection: RawConnection, request: unknown, options: CallOptions) {
    const { timeout, idempotencyKey } = options;
    const call = { jsonrpc: "2.0", id: 1, method: this.#service, params: [request] };
    const body = new TextEncoder().encode(JSON.stringify(call));
    await connection.head({
      "content-length": body.length,
      "x-timeout-ms": timeout,
      ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
    });
    await connection.write(body);
    return await connection.response();
  }

  #drop(): void {
    this.#connection?.[Symbol.dispose]();
    this.#connection = undefined;
  }

  [Symbol.dispose](): void {
    this.#drop();
  }
}

interface Reply {
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly data?: { readonly code: string } };
}

function endOf(request: unknown, { result, error }: Reply): Ended {
  if (error === undefined) return { kind: "answered", result };
  const code = error.data?.code ?? "none";
  if (code === "handler_failed") return { kind: "threw", message: error.message };
  if (FAILED.includes(code)) return { kind: "failed", code };
  if (UNKNOWN.includes(code)) return { kind: "unknown", code };
  throw new Error(`${JSON.stringify(request)} was answered with ${JSON.stringify(error)}`);
}

/** Whether an error says that the connection ended. */
function isLost(error: unknown): boolean {
  const { ConnectionReset, BrokenPipe, BadResource, Interrupted, ConnectionAborted } = Deno.errors;
  return [ConnectionReset, BrokenPipe, BadResource, Interrupted, ConnectionAborted]
    .some((kind) => error instanceof kind) ||
    (error instanceof Error && error.message.startsWith("The connection ended"));
}
