/**
 * A call as somebody from outside makes it: JSON-RPC over HTTP.
 *
 * @module
 */

import { type ErrorData, MpError } from "../runtime/errors.ts";
import { Payload } from "../runtime/payload.ts";
import type { AppCallOptions } from "./app.ts";

/** A call through a door. */
export interface DoorCall {
  readonly service: string;
  readonly request: unknown;
  readonly options: AppCallOptions;
}

/** What a call is sent as. @throws {MpError} `not_json` when the request is not JSON. */
export function doorRequest({ service, request, options }: DoorCall, id: number): RequestInit {
  const { timeout, idempotencyKey, user } = options;
  const authorization = user
    ? `Basic ${
      btoa(String.fromCharCode(...new TextEncoder().encode(`${user.name}:${user.password}`)))
    }`
    : options.authorization;
  const text = Payload.encode(request).text;
  const params = text === "" ? "" : `,"params":[${text}]`;
  const body = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(service)}${params}}`;
  return {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": String(new TextEncoder().encode(body).length),
      ...(timeout !== undefined && { "x-timeout-ms": String(timeout) }),
      ...(authorization !== undefined && { authorization }),
      ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
    },
    body,
  };
}

/** Reads the answer to a call. @throws {MpError} What the service answered. */
export async function doorReply(service: string, response: Response): Promise<unknown> {
  const reply = await response.json() as {
    readonly result?: unknown;
    readonly error?: { readonly message: string; readonly data?: Partial<ErrorData> };
  };
  if (reply.error === undefined) return reply.result;
  const { message, data } = reply.error;
  throw MpError.fromData({ service, code: "internal_error", ...data, message });
}
