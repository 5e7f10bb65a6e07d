/**
 * The Engine API, which Docker and Podman speak: HTTP over a socket.
 *
 * @module
 */

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

/** A reply, and the client that is closed with it. */
interface Reply {
  readonly response: Response;
  close(): void;
}

/** Speaks to an engine. Nothing is sent before the first request. */
export function engineAt(address: EngineAddress): Engine {
  const send = async (
    method: string,
    path: string,
    { query = {}, body, tar, headers = {}, signal }: EngineRequest,
  ): Promise<Reply> => {
    const client = Deno.createHttpClient(clientOptions(address));
    try {
      // without a version the engine speaks its own; what is used is in all since Docker 20.10 and Podman 4
      const response = await fetch(`${baseOf(address)}${path}${search(query)}`, {
        client,
        method,
        signal,
        headers: {
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(tar && { "content-type": "application/x-tar" }),
          ...headers,
        },
        body: (tar as BodyInit | undefined) ??
          (body === undefined ? undefined : JSON.stringify(body)),
      });
      return { response, close: () => client.close() };
    } catch (error) {
      client.close();
      throw signal?.aborted ? signal.reason : unreachable(address, error);
    }
  };

  const checked = async (method: string, path: string, request: EngineRequest): Promise<Reply> => {
    const reply = await send(method, path, request);
    const { status } = reply.response;
    if (status < 400) return reply;
    const text = await textOf(reply, address, request.signal);
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
      const reply = await checked(method, path, request);
      const text = await textOf(reply, address, request.signal);
      return /^\s*[[{"]/.test(text) ? JSON.parse(text) : undefined;
    },
    async stream(method, path, request = {}) {
      return pieces(await checked(method, path, request), address, request.signal);
    },
  };
}

async function* pieces(
  { response, close }: Reply,
  address: EngineAddress,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of response.body ?? []) yield piece;
  } catch (error) {
    if (signal?.aborted) return;
    throw unreachable(address, error);
  } finally {
    // a body that was left half read is cancelled by then
    close();
  }
}

async function textOf(
  { response, close }: Reply,
  address: EngineAddress,
  signal: AbortSignal | undefined,
): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw signal?.aborted ? signal.reason : unreachable(address, error);
  } finally {
    close();
  }
}

function clientOptions(
  { socketPath, tls }: EngineAddress,
): Parameters<typeof Deno.createHttpClient>[0] {
  return {
    poolMaxIdlePerHost: 0,
    ...(socketPath !== undefined && { proxy: { transport: "unix", path: socketPath } }),
    ...(tls && { caCerts: [tls.ca], cert: tls.cert, key: tls.key }),
  };
}

function baseOf({ socketPath, host, port, tls }: EngineAddress): string {
  if (socketPath !== undefined) return "http://engine";
  return `${tls ? "https" : "http"}://${host!.includes(":") ? `[${host}]` : host}:${port}`;
}

function search(query: NonNullable<EngineRequest["query"]>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function unreachable({ shown, chosenBy }: EngineAddress, cause: unknown): MpError {
  if (cause instanceof MpError) return cause;
  const reasons = reasonsOf(cause);
  const denied = /permission denied|access is denied/i.test(reasons);
  const absent = /no such file|connection refused|not found|dns error|name or service/i.test(
    reasons,
  );
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

/** The messages of an error and of all that caused it. */
function reasonsOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return `${messageOf(error)}${cause === undefined ? "" : `: ${reasonsOf(cause)}`}`;
}
