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
  /**
   * How long to wait for the reply, in milliseconds, {@linkcode PATIENCE} unless given; of one that comes bit by bit,
   * for its beginning.
   */
  readonly patience?: number;
}

/** An engine that takes longer for what is done at once hangs, in milliseconds. */
export const PATIENCE = 120_000;

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
   * @throws {EngineError} When the engine refuses. {MpError} `engine_unavailable` when it cannot be reached, or does not answer.
   */
  // deno-lint-ignore no-explicit-any -- replies are typed where they are read
  json(method: string, path: string, request?: EngineRequest): Promise<any>;
  /** Makes a request whose reply comes bit by bit. Leaving it, or aborting `signal`, ends it. */
  stream(method: string, path: string, request?: EngineRequest): Promise<AsyncIterable<Uint8Array>>;
}

/** A reply, and what ends with it. */
interface Reply {
  readonly response: Response;
  /** Waits for the rest however long it takes. */
  beginStream(): void;
  /** Why its rest does not come. */
  fault(error: unknown): unknown;
  /** Closes the connection; a body that is half read is cancelled by then. */
  close(): void;
}

/** Speaks to an engine. Nothing is sent before the first request. */
export function engineAt(address: EngineAddress): Engine {
  const send = async (
    method: string,
    path: string,
    { query = {}, body, tar, headers = {}, signal, patience = PATIENCE }: EngineRequest,
  ): Promise<Reply> => {
    const client = Deno.createHttpClient(clientOptions(address));
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(hangs(address, patience)), patience);
    const beginStream = () => clearTimeout(timer);
    const fault = (error: unknown) => {
      if (signal?.aborted) return signal.reason;
      return unreachable(address, late.signal.aborted ? late.signal.reason : error);
    };
    const close = () => {
      clearTimeout(timer);
      client.close();
    };
    try {
      // without a version the engine speaks its own; what is used is in all since Docker 20.10 and Podman 4
      const response = await fetch(`${baseOf(address)}${path}${search(query)}`, {
        client,
        method,
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
        headers: {
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(tar && { "content-type": "application/x-tar" }),
          ...headers,
        },
        body: (tar as BodyInit | undefined) ??
          (body === undefined ? undefined : JSON.stringify(body)),
      });
      return { response, beginStream, fault, close };
    } catch (error) {
      close();
      throw fault(error);
    }
  };

  const checked = async (method: string, path: string, request: EngineRequest): Promise<Reply> => {
    const reply = await send(method, path, request);
    const { status } = reply.response;
    if (status < 400) return reply;
    const text = await textOf(reply);
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
      const text = await textOf(await checked(method, path, request));
      return /^\s*[[{"]/.test(text) ? JSON.parse(text) : undefined;
    },
    async stream(method, path, request = {}) {
      const reply = await checked(method, path, request);
      reply.beginStream();
      return pieces(reply, request.signal);
    },
  };
}

async function* pieces(
  { response, fault, close }: Reply,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of response.body ?? []) yield piece;
  } catch (error) {
    if (signal?.aborted) return;
    throw fault(error);
  } finally {
    close();
  }
}

async function textOf({ response, fault, close }: Reply): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw fault(error);
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

function hangs({ shown, chosenBy }: EngineAddress, patience: number): MpError {
  return new MpError(
    "engine_unavailable",
    `Cannot reach a container engine: ${shown} has not answered for ${patience / 1000} s`,
    { where: chosenBy, next: "See whether it hangs, with docker info, and start it again" },
  );
}

/** The messages of an error and of all that caused it. */
function reasonsOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return `${messageOf(error)}${cause === undefined ? "" : `: ${reasonsOf(cause)}`}`;
}
