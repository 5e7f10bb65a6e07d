/**
 * A JSON-RPC call from outside a deployment.
 *
 * @module
 */

import { type Code, CODES, messageOf, MpError } from "../errors.ts";
import { flushSpans, startSpanExport } from "../telemetry/span_export.ts";
import { formatDuration } from "./duration.ts";

/** One call. */
export interface OutsideCall {
  /** Without a name and a password. */
  readonly url: string;
  /** The header `Authorization`. */
  readonly authorization?: string;
  readonly service: string;
  /** The request as JSON text; absent for none. */
  readonly request: string | undefined;
  /** The header `Idempotency-Key`. */
  readonly idempotencyKey?: string;
  /** In milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/** How much longer than the call may take its answer is waited for, in milliseconds. */
const ANSWER_SLACK = 500;

/**
 * Calls a service through a deployment's door.
 *
 * @returns The result.
 * @throws {MpError} What the service answered, or `replica_unreachable`, `deadline_exceeded`.
 */
export async function callService(call: OutsideCall): Promise<unknown> {
  const { url, authorization, service, request, timeout, idempotencyKey } = call;
  const id = 1;
  const params = request === undefined ? "" : `,"params":[${request}]`;
  const body = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(service)}${params}}`;
  // the deployment knows better why there is no answer in time
  const late = AbortSignal.timeout(timeout + ANSWER_SLACK);
  let response: Response;
  let text: string;
  await startSpanExport();
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-timeout-ms": String(timeout),
        ...(authorization && { authorization }),
        ...(idempotencyKey && { "idempotency-key": idempotencyKey }),
      },
      body,
      redirect: "error",
      signal: call.signal ? AbortSignal.any([late, call.signal]) : late,
    });
    text = await response.text();
  } catch (error) {
    throw failure(call, error, late.aborted);
  } finally {
    await flushSpans();
  }
  const reply = readReply(text);
  if (reply === undefined) {
    const type = response.headers.get("content-type")?.split(";")[0] ?? "no content type";
    throw new MpError(
      "replica_unreachable",
      `Cannot call "${service}": the answer of ${url} is not JSON-RPC (HTTP ${response.status}, ${type})`,
      { next: "Check that a deployment listens there, with mp ps" },
    );
  }
  if (reply.error === undefined) return reply.result ?? null;
  throw replyError(call, reply.error, response.headers.get("www-authenticate") ?? "");
}

interface ReplyError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly data?: unknown;
}

function readReply(text: string): { result?: unknown; error?: ReplyError } | undefined {
  try {
    const reply = JSON.parse(text);
    const isReply = typeof reply === "object" && reply !== null && reply.jsonrpc === "2.0";
    return isReply && ("result" in reply || reply.error) ? reply : undefined;
  } catch {
    return undefined;
  }
}

function replyError(call: OutsideCall, error: ReplyError, challenge: string): MpError {
  const data = (typeof error.data === "object" ? error.data : null) as
    | Record<string, unknown>
    | null;
  const text = (value: unknown) => typeof value === "string" ? value : undefined;
  const named = text(data?.code);
  const code = named !== undefined && Object.hasOwn(CODES, named)
    ? named as Code
    : (Object.keys(CODES) as Code[]).find((one) => CODES[one].rpc === error.code);
  const retryAfter = typeof data?.retryAfter === "number" ? data.retryAfter : undefined;
  return new MpError(code ?? "internal_error", text(error.message) ?? "The call failed", {
    service: text(data?.service) ?? call.service,
    replica: text(data?.replica),
    reason: text(data?.reason),
    retryAfter,
    next: code === "method_not_found"
      ? "See mp ps for the services"
      : code === "unauthorized"
      ? nextOf(call, challenge)
      : retryAfter !== undefined
      ? `Try again in ${retryAfter < 1000 ? `${retryAfter} ms` : formatDuration(retryAfter)}`
      : text(data?.next),
  });
}

/** What a caller can do who is asked who it is. */
function nextOf({ authorization }: OutsideCall, challenge: string): string | undefined {
  const scheme = /^\w+/.exec(challenge)?.[0].toLowerCase();
  const option = { basic: "--user NAME:PASSWORD", bearer: "--token TOKEN" }[scheme ?? ""];
  if (option === undefined) return undefined;
  const isGiven = authorization?.toLowerCase().startsWith(`${scheme} `);
  return isGiven ? `Correct ${option.split(" ")[0]}` : `Say who calls with ${option}`;
}

function failure({ url, service, timeout, signal }: OutsideCall, error: unknown, late: boolean) {
  if (signal?.aborted) return new MpError("cancelled", `Cannot call "${service}": it was given up`);
  if (late) {
    const within = timeout < 1000 ? `${timeout} ms` : formatDuration(timeout);
    return new MpError(
      "deadline_exceeded",
      `Cannot call "${service}": no answer within ${within}`,
      { service, next: "Wait longer with --timeout, or see mp logs" },
    );
  }
  // the innermost cause is what the system said
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  const said = messageOf(error);
  const isUnknown = /dns error/i.test(said);
  const reason = isUnknown
    ? "no machine of that name is known"
    : /refused/i.test(said)
    ? "nothing listens there"
    : messageOf(cause);
  return new MpError("replica_unreachable", `Cannot call "${service}" at ${url}: ${reason}`, {
    cause: error,
    service,
    next: isUnknown
      ? "Correct the address"
      : "See with mp ps whether it is ready; mp run -d --wait waits until it is",
  });
}
