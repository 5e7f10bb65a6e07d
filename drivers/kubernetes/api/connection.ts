/**
 * HTTP to an API server, with the certificates and credentials of a context.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import http from "node:http";
import https from "node:https";
import { messageOf, MpError } from "../../../runtime/errors.ts";
import { type CredentialGetter, credentialGetter, type Credentials } from "./credentials.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

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
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** A connection to one API server. */
export interface Connection {
  readonly access: ClusterAccess;
  /** Sends a request. A reply of any status is a reply. @throws {MpError} `cluster_unavailable`. */
  send(request: ApiRequest): Promise<ApiReply>;
  /** The URL, headers and TLS for a connection of another kind, such as a WebSocket. */
  upgrade(path: string): Promise<{ url: URL; headers: Record<string, string>; tls: TlsOptions }>;
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
  return new NodeConnection(access, base);
}

class NodeConnection implements Connection {
  readonly access: ClusterAccess;
  #base: URL;
  #getter: CredentialGetter;
  #agent: { readonly agent: http.Agent; readonly certificate: string | undefined } | undefined;

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

  async upgrade(
    path: string,
  ): Promise<{ url: URL; headers: Record<string, string>; tls: TlsOptions }> {
    const credentials = await this.#getter.get();
    const url = this.#url(path);
    url.protocol = url.protocol.replace("http", "ws");
    return {
      url,
      headers: credentials.authorization ? { authorization: credentials.authorization } : {},
      tls: this.#tls(credentials),
    };
  }

  close(): void {
    this.#agent?.agent.destroy();
    this.#agent = undefined;
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

  /** Connections that are open already; others after another certificate. */
  #agentFor(credentials: Credentials): http.Agent {
    const { certificate } = credentials;
    if (this.#agent?.certificate === certificate && this.#agent) return this.#agent.agent;
    this.#agent?.agent.destroy();
    const agent = this.#base.protocol === "http:"
      ? new http.Agent({ keepAlive: true })
      : new https.Agent({ keepAlive: true, ...this.#tls(credentials) });
    this.#agent = { agent, certificate };
    return agent;
  }

  #send(request: ApiRequest, credentials: Credentials): Promise<ApiReply> {
    const { method, path, query, contentType, body, signal } = request;
    signal?.throwIfAborted();
    const url = this.#url(path, query);
    const { promise, resolve, reject } = Promise.withResolvers<ApiReply>();
    const { request: start } = url.protocol === "http:" ? http : https;
    const outgoing = start(url, {
      method,
      agent: this.#agentFor(credentials),
      ...(url.protocol === "https:" && this.#tls(credentials)),
      headers: {
        accept: "application/json",
        ...(contentType && { "content-type": contentType }),
        ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
        ...(credentials.authorization && { authorization: credentials.authorization }),
        "user-agent": "mp",
      },
    }, (incoming) => {
      clearTimeout(timer);
      resolve(replyOf(incoming, signal, () => signal?.removeEventListener("abort", abort)));
    });
    const abort = () => outgoing.destroy(signal?.reason as Error);
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`it said nothing within ${SILENCE / 1000} s`)),
      SILENCE,
    );
    signal?.addEventListener("abort", abort, { once: true });
    outgoing.on("error", (error) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      reject(signal?.aborted ? signal.reason : unreachable(this.access, error));
    });
    outgoing.end(body);
    return promise;
  }
}

function replyOf(
  incoming: IncomingMessage,
  signal: AbortSignal | undefined,
  onEnd: () => void,
): ApiReply {
  const body = async function* () {
    const abort = () => incoming.destroy();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      for await (const chunk of incoming) yield chunk as Uint8Array;
    } finally {
      signal?.removeEventListener("abort", abort);
      onEnd();
      incoming.destroy();
    }
  };
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: { [Symbol.asyncIterator]: body },
    async text() {
      const chunks: Uint8Array[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
      onEnd();
      return Buffer.concat(chunks).toString("utf8");
    },
    destroy: () => {
      onEnd();
      incoming.destroy();
    },
  };
}

/** Why there is no answer at all. */
export function unreachable({ context, server }: ClusterAccess, cause: unknown): MpError {
  const { code } = cause as { code?: string };
  const message = messageOf(cause);
  const certificate = code?.startsWith("CERT") || code?.includes("CERT") ||
    /certificate|self.signed/i.test(message);
  const why = code === "ECONNREFUSED"
    ? "nothing listens there"
    : code === "ENOTFOUND"
    ? "its name is not known"
    : /expired/i.test(message)
    ? "its certificate has expired"
    : message;
  return new MpError(
    "cluster_unavailable",
    `Cannot reach the cluster of context "${context}" at ${server}: ${why}`,
    {
      cause,
      next: certificate
        ? "Get a new kubeconfig, whose certificate-authority is the cluster's"
        : "Start the cluster, or choose another with --context",
    },
  );
}
