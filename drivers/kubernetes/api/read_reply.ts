/**
 * The body of a reply, as it comes.
 *
 * @module
 */

import type { ApiReply } from "./connection.ts";
import type { Pool } from "./http_library.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { unreachable } from "./unreachable.ts";

type Response = Awaited<ReturnType<Pool["request"]>>;

/** Options of {@linkcode readReply}. */
export interface ReadReplyOptions {
  readonly access: ClusterAccess;
  readonly signal: AbortSignal | undefined;
  /** Called when nothing more is read. */
  onEnd(): void;
}

/** Hands on what comes. A connection that breaks is an error that says so; the end of `signal` ends the body. */
export function readReply(
  { statusCode, headers, body }: Response,
  { access, signal, onEnd }: ReadReplyOptions,
): ApiReply {
  // what is destroyed by us says so once more, to nobody
  body.on("error", () => {});
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) yield chunk;
    } catch (error) {
      if (signal?.aborted) return;
      throw unreachable(access, error);
    } finally {
      onEnd();
      body.destroy();
    }
  }
  return {
    status: statusCode,
    headers,
    body: { [Symbol.asyncIterator]: read },
    async text() {
      const decoder = new TextDecoder();
      let text = "";
      for await (const chunk of read()) text += decoder.decode(chunk, { stream: true });
      signal?.throwIfAborted();
      return text + decoder.decode();
    },
    destroy() {
      onEnd();
      body.destroy();
    },
  };
}
