/**
 * The Engine API, which Docker and Podman speak: HTTP over a socket.
 *
 * @module
 */

import http from "node:http";
import https from "node:https";
import { Readable } from "node:stream";
import { messageOf, MpError } from "../../runtime/errors.ts";
import type { EngineAddress } from "./engine_address.ts";

/** One request. */
export interface EngineRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as a tar archive. */
  readonly tar?: ReadableStream<Uint8Array> | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A reply of the engine that is no success. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** An engine. */
export interface Engine {
  readonly address: EngineAddress;
  /**
   * Makes a request whose reply is JSON, or nothing.
   *
   * @throws {EngineError} When the engine refuses. {MpError} `engine_unavailable` when it cannot be reached.
   */
  // deno-lint-ignore no-explicit-any -- replies are typed where they are read
  json(method: string, path: string, request?: EngineRequest): Promise<any>;
  /** Makes a request whose reply comes bit by bit. Leaving it, or aborting `signal`, ends it. */
  stream(method: string, path: string, request?: EngineRequest): Promise<AsyncIterable<Uint8Array>>;
}

/** Speaks to an engine. Nothing is sent before the first request. */
export function engineAt(address: EngineAddress): Engine {
  const agent = new (address.tls ? https : http).Agent({ keepAlive: false });

  const send = (
    method: string,
    path: string,
    { query = {}, body, tar, headers = {}, signal }: EngineRequest,
  ): Promise<http.IncomingMessage> => {
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const { socketPath, host, port, tls } = address;
    const text = body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body));
    const request = (tls ? https : http).request({
      ...(socketPath === undefined ? { host, port, ...tls } : { socketPath }),
      agent,
      method,
      // without a version the engine speaks its own; what is used is in all since Docker 20.10 and Podman 4
      path: `${path}${search(query)}`,
      headers: {
        host: "engine",
        ...(text && { "content-type": "application/json", "content-length": text.length }),
        ...(tar && { "content-type": "application/x-tar" }),
        ...headers,
      },
      signal,
    });
    request.on("response", resolve);
    request.on(
      "error",
      (error) => reject(signal?.aborted ? signal.reason : unreachable(address, error)),
    );
    if (tar instanceof ReadableStream) {
      const source = Readable.fromWeb(tar as Parameters<typeof Readable.fromWeb>[0]);
      source.on("error", (error) => request.destroy(error));
      source.pipe(request);
    } else request.end(tar ?? text);
    return promise;
  };

  const checked = async (method: string, path: string, request: EngineRequest) => {
    const response = await send(method, path, request);
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    const text = new TextDecoder().decode(await collect(response, address, request.signal));
    let message = text;
    try {
      message = JSON.parse(text).message ?? text;
    } catch {
      // a proxy may have answered
    }
    throw new EngineError(status, message.trim());
  };

  return {
    address,
    async json(method, path, request = {}) {
      const response = await checked(method, path, request);
      const text = new TextDecoder().decode(await collect(response, address, request.signal));
      return text === "" || !text.trimStart().match(/^[[{"]/) ? undefined : JSON.parse(text);
    },
    async stream(method, path, request = {}) {
      return pieces(await checked(method, path, request), address, request.signal);
    },
  };
}

async function* pieces(
  response: http.IncomingMessage,
  address: EngineAddress,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  const end = () => response.destroy();
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end, { once: true });
  try {
    for await (const piece of response) yield piece as Uint8Array;
  } catch (error) {
    if (signal?.aborted) return;
    throw unreachable(address, error);
  } finally {
    signal?.removeEventListener("abort", end);
    response.destroy();
  }
}

async function collect(
  response: http.IncomingMessage,
  address: EngineAddress,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces(response, address, signal)) all.push(piece);
  return new Uint8Array(await new Blob(all as BlobPart[]).arrayBuffer());
}

function search(query: NonNullable<EngineRequest["query"]>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function unreachable({ shown, chosenBy }: EngineAddress, cause: unknown): MpError {
  if (cause instanceof MpError) return cause;
  const { code } = cause as { code?: string };
  const denied = code === "EACCES" || code === "EPERM" ||
    cause instanceof Deno.errors.PermissionDenied;
  const absent = code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTFOUND" ||
    code === "EAI_AGAIN";
  const why = denied
    ? `you may not use ${shown}`
    : absent
    ? `nothing answers at ${shown}`
    : `the connection to ${shown} ended: ${messageOf(cause)}`;
  return new MpError("engine_unavailable", `Cannot reach a container engine: ${why}`, {
    cause,
    where: chosenBy,
    next: denied
      ? "Add yourself to its group (sudo usermod -aG docker $USER, then log in again), or use rootless Docker or Podman"
      : absent
      ? "Start Docker or Podman (podman system service), or set DOCKER_HOST to where it listens"
      : "See whether it still runs, with docker info, and try again",
  });
}
