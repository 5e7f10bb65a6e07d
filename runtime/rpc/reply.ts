/**
 * Replies as text. Pure.
 *
 * A result is put into its reply as the text that it came as: it is never parsed and encoded again.
 *
 * @module
 */

import { CODES, messageOf, MpError } from "../errors.ts";
import type { CallId } from "./decode.ts";
import { hidePaths } from "./hide_paths.ts";

/** Where a call failed, for errors that do not say it themselves. */
export interface Failed {
  readonly service?: string;
  readonly replica?: string;
}

/**
 * The reply that carries a result.
 *
 * @param id The id of the call, echoed.
 * @param text The result as JSON text; empty text, which stands for `undefined`, becomes `null`, since
 * a reply has a result.
 */
export function resultReply(id: CallId, text: string): string {
  return '{"jsonrpc":"2.0","id":' + idText(id) + ',"result":' + (text || "null") + "}";
}

/**
 * The reply that carries an error.
 *
 * @param id The id of the call, `null` where none can be told.
 * @param error An {@linkcode MpError}; anything else becomes `handler_failed` with its message.
 * @param at Where the call failed.
 */
export function errorReply(id: CallId, error: unknown, at: Failed = {}): string {
  const known = error instanceof MpError;
  const code = known ? error.code : "handler_failed";
  const body = {
    code: CODES[code].rpc,
    message: hidePaths(messageOf(error)),
    data: {
      code,
      service: known ? error.service ?? at.service : at.service,
      replica: known ? error.replica ?? at.replica : at.replica,
      reason: known ? error.reason : "threw",
      retryAfter: known ? error.retryAfter : undefined,
      next: known && error.next !== undefined ? hidePaths(error.next) : undefined,
    },
  };
  return '{"jsonrpc":"2.0","id":' + idText(id) + ',"error":' + JSON.stringify(body) + "}";
}

/** The reply to a batch: the replies to its calls, without those of notifications, which are empty. */
export function batchReply(replies: readonly string[]): string {
  const present = replies.filter((reply) => reply !== "");
  return present.length === 0 ? "" : "[" + present.join(",") + "]";
}

function idText(id: CallId): string {
  if (typeof id === "string") return JSON.stringify(id);
  // a number beyond the doubles was read as infinity
  return typeof id === "number" && id - id === 0 ? String(id) : "null";
}
