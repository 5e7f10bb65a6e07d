/**
 * HTTP to an API server, with the certificates and credentials of a context.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { MpError } from "../../../runtime/errors.ts";
import { apiError } from "./api_error.ts";
import { type CredentialGetter, credentialGetter, type Credentials } from "./credentials.ts";
import { Pool } from "./http_library.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { readReply } from "./read_reply.ts";
import { unreachable } from "./unreachable.ts";

/** One request. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the server's root. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly contentType?: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** What came back; the body is still on its way. */
export interface ApiReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  text(): Promise<string>;
  /** Ends the body. */
  destroy(): void;
}

/** What it takes to open a TLS connection to the server. */
interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** What a connection is opened for. */
export interface Upgrade {
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A connection to one API server. */
export interface Connection {
  readonly access: ClusterAccess;
  /** Sends a request. A reply of any status is a reply. @throws {MpError} `cluster_unavailable`. */
  send(request: ApiRequest): Promise<ApiReply>;
  /**
   * Opens a connection for another protocol than HTTP.
   *
   * @throws {MpError} What the server refuses, or `cluster_unavailable`.
   */
  upgrade(path: string, protocol: Upgrade): Promise<Duplex>;
  close(): void;
}

/** A server that does not say anything for so long is not there, in milliseconds. */
const SILENCE = 30_000;

/** Opens connections to the API server of a context, as they are needed. */
export function connection(access: ClusterAccess): Connection {
  if (access.proxy !== undefined) {
    throw new MpError(
      "cluster_unavailable",
      `Cannot use context "${access.context}": it goes through the proxy ${access.proxy}`,
      { next: "Reach the cluster without a proxy: mp has no way through one" },
    );
  }
  const base = URL.parse(access.server);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new MpError(
      "cluster_unavailable",
      `Cannot use context "${access.context}": its server ${
        JSON.stringify(access.server)
      } is no URL`,
    );
  }
  return new PooledConnection(access, base);
}

class PooledConnection implements Connection {
  readonly access: ClusterAccess;
  #base: URL;
  #getter: CredentialGetter;
  #pool: { readonly pool: Pool; readonly certificate: string | undefined } | undefined;

  constructor(access: ClusterAccess, base: URL) {
    this.access = access;
    this.#base = base;
    this.#getter = credentialGetter(access);
  }

  async send(request: ApiRequest): Promise<ApiReply> {
    const reply = await this.#send(request, await this.#getter.get());
    if (reply.status !== 401 || !this.access.credentials.exec) return reply;
    // a token may be revoked before it expires
    await reply.text();
    return await this.#send(request, await this.#getter.get(true));
  }

  async upgrade(path: string, { protocol, headers }: Upgrade): Promise<Duplex> {
    const credentials = await this.#getter.get();
    const { authorization } = credentials;
    const { pathname, search } = this.#url(path);
    try {
      const { socket } = await this.#poolFor(credentials).upgrade({
        method: "GET",
        path: pathname + search,
        protocol,
        headers: { ...headers, ...(authorization && { authorization }) },
      });
      return socket;
    } catch (error) {
      // why it was refused comes without the upgrade
      const reply = await this.send({ method: "GET", path });
      const text = await reply.text();
      if (reply.status < 401) throw unreachable(this.access, error);
      throw apiError(`open ${pathname}`, reply.status, text, this.access);
    }
  }

  close(): void {
    this.#drop();
  }

  #url(path: string, query: ApiRequest["query"] = {}): URL {
    const url = new URL(this.#base);
    const [pathname, search = ""] = path.split("?", 2);
    url.pathname = url.pathname.replace(/\/$/, "") + pathname;
    url.search = search;
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.append(name, value);
    }
    return url;
  }

  #tls({ certificate, key }: Credentials): TlsOptions {
    const { ca, insecure, serverName } = this.access;
    return {
      ...(ca !== undefined && { ca }),
      ...(certificate !== undefined && { cert: certificate, key }),
      ...(serverName !== undefined && { servername: serverName }),
      rejectUnauthorized: !insecure,
    };
  }

  #drop(): void {
    // what is under way fails, and whoever waits for it hears of that
    this.#pool?.pool.destroy().catch(() => {});
    this.#pool = undefined;
  }

  /** Connections that are open already; others after another certificate. */
  #poolFor(credentials: Credentials): Pool {
    const { certificate } = credentials;
    if (this.#pool?.certificate === certificate && this.#pool) return this.#pool.pool;
    this.#drop();
    const pool = new Pool(this.#base.origin, {
      connect: { timeout: 0, ...(this.#base.protocol === "https:" && this.#tls(credentials)) },
      // a watch may be silent for long; how long a reply may take is looked after here
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#pool = { pool, certificate };
    return pool;
  }

  async #send(request: ApiRequest, credentials: Credentials): Promise<ApiReply> {
    const { method, path, query, contentType, body, signal } = request;
    signal?.throwIfAborted();
    const url = this.#url(path, query);
    const ending = new AbortController();
    const abort = () => ending.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const timer = setTimeout(
      () => ending.abort(new Error(`it said nothing within ${SILENCE / 1000} s`)),
      SILENCE,
    );
    try {
      const response = await this.#poolFor(credentials).request({
        method,
        path: url.pathname + url.search,
        headers: {
          accept: "application/json",
          ...(contentType && { "content-type": contentType }),
          ...(credentials.authorization && { authorization: credentials.authorization }),
          "user-agent": "mp",
        },
        body: body ?? null,
        signal: ending.signal,
      });
      return readReply(response, {
        access: this.access,
        signal,
        onEnd: () => signal?.removeEventListener("abort", abort),
      });
    } catch (error) {
      signal?.removeEventListener("abort", abort);
      throw signal?.aborted ? signal.reason : unreachable(this.access, error);
    } finally {
      clearTimeout(timer);
    }
  }
}
