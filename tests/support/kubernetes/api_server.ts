/**
 * A stand-in for a cluster's API server: HTTP over TLS with client certificates, and the part of Kubernetes' API
 * that is used, as it is documented. Nothing of the driver is in it.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import { stringify } from "@std/yaml";
import certificates from "../../fixtures/kubernetes/certificates.json" with { type: "json" };
import { checkObject, checkShape, fillIn, type Refusal } from "./admission.ts";
import { now, ObjectStore, type Stored, type StoreEvent } from "./object_store.ts";
import { serverSideApply, takeOwnership } from "./server_side_apply.ts";

/** A failure that was asked for. */
export interface Fault {
  readonly method?: string;
  /** What the path, with its query, must match. */
  readonly path: RegExp;
  readonly status: number;
  readonly body?: Record<string, unknown>;
  /** How often. Default: 1. */
  times?: number;
}

/** A request that came. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly user: string;
  readonly body: string;
}

/** What pods do, where they run. */
export interface PodHost {
  /** Lines of a pod's container, each with its time. Follows until `signal` aborts. */
  logs(pod: Stored, options: LogQuery, signal: AbortSignal): AsyncIterable<string>;
  /** Connects to a port of a pod. */
  connect(pod: Stored, port: number): Promise<Deno.Conn>;
  /** A pod is to end. */
  terminate(pod: Stored): void;
}

export interface LogQuery {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly since: number;
}

/** Kinds by their names in URLs. */
const KINDS: Readonly<Record<string, string>> = {
  configmaps: "ConfigMap",
  deployments: "Deployment",
  events: "Event",
  namespaces: "Namespace",
  networkpolicies: "NetworkPolicy",
  persistentvolumeclaims: "PersistentVolumeClaim",
  poddisruptionbudgets: "PodDisruptionBudget",
  pods: "Pod",
  secrets: "Secret",
  serviceaccounts: "ServiceAccount",
  services: "Service",
  statefulsets: "StatefulSet",
};

/** See the module's documentation. */
export class ApiServer implements AsyncDisposable {
  readonly store = new ObjectStore();
  readonly seen: Seen[] = [];
  readonly namespaces = new Set(["default"]);
  /** Namespaces that are going away. */
  readonly terminating = new Set<string>();
  /** What users may do; all without an entry. */
  readonly rights = new Map<string, (verb: string, resource: string) => boolean>();
  /** Tokens, with their users. */
  readonly tokens = new Map<string, string>();
  host: PodHost | undefined;
  #faults: Fault[] = [];
  #server: https.Server;
  #sockets = new Set<Duplex>();
  #watches = new Set<() => void>();
  #webSockets = new WebSocketServer({ noServer: true, handleProtocols: chooseProtocol });
  #url = "";

  private constructor() {
    this.#server = https.createServer({
      key: certificates.server.key,
      cert: certificates.server.certificate,
      ca: certificates.ca,
      requestCert: true,
      rejectUnauthorized: false,
    }, (request, response) => {
      this.#answer(request, response).catch((error) => {
        if (!response.headersSent) refuse(response, 500, "InternalError", String(error));
        else response.destroy();
      });
    });
    this.#server.on("connection", (socket: Duplex) => this.#keep(socket));
    this.#server.on("secureConnection", (socket: Duplex) => this.#keep(socket));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head);
    });
  }

  static async start(): Promise<ApiServer> {
    const server = new ApiServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    const { port } = server.#server.address() as { port: number };
    server.#url = `https://127.0.0.1:${port}`;
    return server;
  }

  get url(): string {
    return this.#url;
  }

  /** A kubeconfig with a context for each user; the current one is that of the admin. */
  kubeconfig(more: Record<string, unknown> = {}): string {
    const cluster = { server: this.#url, "certificate-authority-data": btoa(certificates.ca) };
    const users = (["admin", "viewer", "expired"] as const).map((name) => ({
      name,
      user: {
        "client-certificate-data": btoa(certificates[name].certificate),
        "client-key-data": btoa(certificates[name].key),
      },
    }));
    const contexts = ["admin", "viewer", "expired"].map((user) => ({
      name: user,
      context: { cluster: "stand-in", user },
    }));
    return stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "admin",
      clusters: [{ name: "stand-in", cluster }],
      users,
      contexts,
      ...more,
    });
  }

  /** Has requests fail. */
  fail(fault: Fault): void {
    this.#faults.push({ times: 1, ...fault });
  }

  /** Ends all watches, as a server does now and then. */
  cutWatches(): void {
    for (const cut of [...this.#watches]) cut();
  }

  /** How many watches there are. */
  get watches(): number {
    return this.#watches.size;
  }

  /** Writes an event, as controllers do. */
  event(about: Stored, reason: string, message: string): void {
    const { namespace, name, uid } = about.metadata;
    this.store.put("events", {
      apiVersion: "v1",
      kind: "Event",
      metadata: {
        name: `${name}.${this.store.version.toString(16)}`,
        namespace,
      } as Stored["metadata"],
      involvedObject: { kind: about.kind, name, namespace, uid },
      reason,
      message,
      type: "Warning",
      lastTimestamp: now(),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutWatches();
    for (const client of this.#webSockets.clients) client.terminate();
    this.#webSockets.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections?.();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
  }

  #userOf(request: IncomingMessage): string | undefined {
    const socket = request.socket as TLSSocket;
    if (socket.authorized) {
      const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string } };
      if (subject?.CN) return subject.CN;
    }
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    return token === undefined ? undefined : this.tokens.get(token);
  }

  /** Judges who asks for what. @returns The parts of the path, or nothing when it has been refused. */
  #admit(request: IncomingMessage, refused: Refuse): Asked | undefined {
    const url = new URL(request.url ?? "/", this.#url);
    const method = request.method ?? "GET";
    const user = this.#userOf(request);
    const fault = this.#faults.find((one) =>
      one.times! > 0 && (one.method ?? method) === method &&
      one.path.test(url.pathname + url.search)
    );
    if (fault) {
      fault.times!--;
      const { reason = "Fault", message = "as it was asked for", ...more } = fault.body ?? {};
      refused(fault.status, String(reason), String(message), more);
      return undefined;
    }
    if (user === undefined) {
      refused(401, "Unauthorized", "Unauthorized");
      return undefined;
    }
    const match =
      /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/
        .exec(url.pathname);
    const named = /^\/api\/v1\/namespaces(?:\/([^/]+))?$/.exec(url.pathname);
    if (url.pathname === "/version") {
      return {
        user,
        method,
        url,
        apiVersion: "v1",
        resource: "version",
        namespace: "",
        name: undefined,
        sub: undefined,
      };
    }
    if (!match && !named || (match && !named && !(match[4]! in KINDS))) {
      refused(404, "NotFound", "the server could not find the requested resource");
      return undefined;
    }
    const asked: Asked = named
      ? {
        user,
        method,
        url,
        apiVersion: "v1",
        resource: "namespaces",
        namespace: "",
        name: named[1],
        sub: undefined,
      }
      : {
        user,
        method,
        url,
        apiVersion: match![1] ?? match![2]!,
        resource: match![4]!,
        namespace: match![3] && decodeURIComponent(match![3]),
        name: match![5] && decodeURIComponent(match![5]),
        sub: match![6],
      };
    const verb = verbOf(asked);
    const { resource, sub, namespace, apiVersion } = asked;
    const what = sub ? `${resource}/${sub}` : resource;
    if (this.rights.get(user)?.(verb, what) === false) {
      const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
      refused(
        403,
        "Forbidden",
        `${what}${
          group ? `.${group}` : ""
        } is forbidden: User "${user}" cannot ${verb} resource "${what}" ` +
          `in API group "${group}"${namespace ? ` in the namespace "${namespace}"` : ""}`,
        { details: { kind: resource, group } },
      );
      return undefined;
    }
    return asked;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const body = new TextDecoder().decode(concat(chunks));
    const asked = this.#admit(request, (...args) => refuse(response, ...args));
    if (!asked) return;
    const { user, method, url, resource, namespace, name, sub } = asked;
    this.seen.push({ method, path: url.pathname, query: url.searchParams, user, body });
    if (resource === "version") {
      return reply(response, 200, { major: "1", minor: "32", gitVersion: "v1.32.0+stand-in" });
    }
    if (resource === "namespaces") return this.#namespace(asked, response);
    if (sub === "log") return await this.#logs(asked, response);
    if (method === "GET" && name === undefined) {
      const watches = ["1", "true"].includes(url.searchParams.get("watch") ?? "");
      return watches ? this.#watch(asked, response) : this.#list(asked, response);
    }
    const found = this.store.get(resource, namespace ?? "", name ?? "");
    const exists = found && found.metadata.name === name;
    if (method === "GET") {
      return exists ? reply(response, 200, shown(found)) : notFound(response, resource, name);
    }
    if (method === "PATCH") return this.#patch(asked, found, body, response);
    if (method === "DELETE") {
      if (!exists) return notFound(response, resource, name);
      return reply(response, 200, shown(this.remove(found)));
    }
    refuse(response, 405, "MethodNotAllowed", `${method} is not supported`);
  }

  /** Deletes an object; a pod goes when it has ended. */
  remove(found: Stored): Stored {
    const { namespace = "", name } = found.metadata;
    const resource = resourceOf(found.kind);
    if (found.kind !== "Pod" || !this.host) {
      return this.store.delete(resource, namespace, name) ?? found;
    }
    if (found.metadata.deletionTimestamp !== undefined) return found;
    const grace = found.spec?.terminationGracePeriodSeconds ?? 30;
    const ending = this.store.put(resource, {
      ...found,
      metadata: { ...found.metadata, deletionTimestamp: now(), deletionGracePeriodSeconds: grace },
    });
    this.host.terminate(ending);
    return ending;
  }

  #namespace({ name, method }: Asked, response: ServerResponse): void {
    const show = (name: string) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
      status: { phase: this.terminating.has(name) ? "Terminating" : "Active" },
    });
    if (method !== "GET") return refuse(response, 405, "MethodNotAllowed", "only GET is supported");
    if (name === undefined) {
      return reply(response, 200, { kind: "NamespaceList", items: [...this.namespaces].map(show) });
    }
    if (!this.namespaces.has(name)) return notFound(response, "namespaces", name);
    reply(response, 200, show(name));
  }

  #list({ apiVersion, resource, namespace, url }: Asked, response: ServerResponse): void {
    const limit = Number(url.searchParams.get("limit") ?? 0) || Infinity;
    const from = Number(url.searchParams.get("continue") ?? 0);
    const all = this.store.list(resource, namespace).filter((one) =>
      selects(one, url.searchParams)
    );
    const page = all.slice(from, from + limit);
    reply(response, 200, {
      apiVersion,
      kind: `${KINDS[resource]}List`,
      metadata: {
        resourceVersion: String(this.store.version),
        ...(from + limit < all.length && { continue: String(from + limit) }),
      },
      items: page.map((one) => {
        const { apiVersion: _, kind: __, ...rest } = shown(one);
        return rest;
      }),
    });
  }

  #watch({ resource, namespace, url }: Asked, response: ServerResponse): void {
    const from = Number(url.searchParams.get("resourceVersion") ?? this.store.version);
    const missed = this.store.since(from);
    if (missed === undefined) {
      return refuse(
        response,
        410,
        "Expired",
        `too old resource version: ${from} (${this.store.version})`,
      );
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders?.();
    // a pod that no longer matches, or an object of another namespace, is none of the watcher's business
    const tell = ({ type, collection, object }: StoreEvent) => {
      if (collection !== resource || (namespace && object.metadata.namespace !== namespace)) return;
      if (!selects(object, url.searchParams)) return;
      response.write(JSON.stringify({ type, object: shown(object) }) + "\n");
    };
    for (const event of missed) tell(event);
    const stop = this.store.listen(tell);
    const cut = () => {
      stop();
      this.#watches.delete(cut);
      response.end();
    };
    this.#watches.add(cut);
    response.on("close", cut);
  }

  /** Ends watches with an error, as a server does that has forgotten what happened. */
  expireWatches(): void {
    this.store.compact();
    this.cutWatches();
  }

  #patch(
    { apiVersion, resource, namespace = "", name = "", url }: Asked,
    found: Stored | undefined,
    body: string,
    response: ServerResponse,
  ): void {
    const type = url.searchParams.get("fieldManager") ?? "unknown";
    const refused = (refusal: Refusal) =>
      refuse(response, refusal.code, refusal.reason, refusal.message, {
        details: { name, kind: resource, causes: refusal.causes },
      });
    if (!this.namespaces.has(namespace)) {
      return refuse(response, 404, "NotFound", `namespaces "${namespace}" not found`);
    }
    if (!found && this.terminating.has(namespace)) {
      return refuse(
        response,
        403,
        "Forbidden",
        `${resource} "${name}" is forbidden: unable to create new content in namespace ${namespace} ` +
          "because it is being terminated",
        { details: { causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }] } },
      );
    }
    const config = JSON.parse(body);
    let object: Stored;
    if (url.searchParams.has("force") || config.apiVersion) {
      if (config.apiVersion !== apiVersion || config.kind !== KINDS[resource]) {
        return refuse(response, 400, "BadRequest", "the object provided is unrecognized");
      }
      const wrong = checkShape(config);
      if (wrong) return refused(wrong);
      const force = url.searchParams.get("force") === "true";
      const applied = serverSideApply(found, config, { manager: type, force });
      if (applied.conflicts) {
        return refuse(
          response,
          409,
          "Conflict",
          `Apply failed with ${applied.conflicts.length} conflicts`,
          {
            details: {
              causes: applied.conflicts.map(({ field, manager }) => ({
                reason: "FieldManagerConflict",
                message: `conflict with "${manager}"`,
                field,
              })),
            },
          },
        );
      }
      object = applied.object;
    } else {
      if (!found) return notFound(response, resource, name);
      object = mergePatch(found, config) as Stored;
      object.metadata.managedFields = takeOwnership(found, object, type);
    }
    const filled = fillIn(object);
    const wrong = checkObject(filled, found);
    if (wrong) return refused(wrong);
    if (url.searchParams.get("dryRun") === "All") {
      return reply(response, found ? 200 : 201, shown(filled));
    }
    reply(response, found ? 200 : 201, shown(this.store.put(resource, filled)));
  }

  async #logs({ namespace = "", name = "", url }: Asked, response: ServerResponse): Promise<void> {
    const pod = this.store.get("pods", namespace, name);
    if (!pod) return notFound(response, "pods", name);
    if (!this.host) return refuse(response, 400, "BadRequest", "no container runs");
    const query = url.searchParams;
    const stop = new AbortController();
    response.on("close", () => stop.abort());
    const lines = this.host.logs(pod, {
      follow: query.get("follow") === "true",
      previous: query.get("previous") === "true",
      timestamps: query.get("timestamps") === "true",
      tailLines: query.has("tailLines") ? Number(query.get("tailLines")) : undefined,
      since: Date.parse(query.get("sinceTime") ?? "") || 0,
    }, stop.signal);
    response.writeHead(200, { "content-type": "text/plain" });
    response.flushHeaders?.();
    for await (const line of lines) response.write(line + "\n");
    response.end();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refused: Refuse = (status, _reason, message) => {
      socket.end(
        `HTTP/1.1 ${status} Refused\r\nContent-Length: ${message.length}\r\nConnection: close\r\n\r\n${message}`,
      );
    };
    const asked = this.#admit(request, refused);
    if (!asked) return;
    this.seen.push({
      method: "GET",
      path: asked.url.pathname,
      query: asked.url.searchParams,
      user: asked.user,
      body: "",
    });
    const pod = this.store.get("pods", asked.namespace ?? "", asked.name ?? "");
    if (asked.sub !== "portforward" || !this.host) return refused(404, "NotFound", "not found");
    if (!pod) return refused(404, "NotFound", `pods "${asked.name}" not found`);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      const port = Number(asked.url.searchParams.get("ports"));
      forward(webSocket, port, () => this.host!.connect(pod, port));
    });
  }
}

/** The protocol of kubelets: the first byte of a message is its channel, data or errors; each begins with the port. */
async function forward(
  webSocket: WebSocket,
  port: number,
  dial: () => Promise<Deno.Conn>,
): Promise<void> {
  const prefix = (channel: number, bytes: Uint8Array) => new Uint8Array([channel, ...bytes]);
  const number = new Uint8Array([port & 255, port >> 8]);
  const waiting: Uint8Array[] = [];
  let conn: Deno.Conn | undefined;
  const write = async () => {
    while (conn && waiting.length > 0) {
      const bytes = waiting.shift()!;
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    }
  };
  let writing = Promise.resolve();
  webSocket.on("message", (data: Uint8Array) => {
    const bytes = new Uint8Array(data);
    if (bytes[0] !== 0) return;
    waiting.push(bytes.slice(1));
    writing = writing.then(write).catch(() => {});
  });
  webSocket.on("close", () => {
    try {
      conn?.close();
    } catch {
      // it ended first
    }
  });
  webSocket.send(prefix(0, number));
  webSocket.send(prefix(1, number));
  try {
    conn = await dial();
    writing = writing.then(write).catch(() => {});
    const buffer = new Uint8Array(16_384);
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
      webSocket.send(prefix(0, buffer.slice(0, count)));
    }
  } catch (error) {
    const text = new TextEncoder().encode(`an error occurred forwarding ${port}: ${error}`);
    if (webSocket.readyState === 1) webSocket.send(prefix(1, text));
  }
  webSocket.close();
}

function chooseProtocol(protocols: Set<string>): string | false {
  return protocols.has("v4.channel.k8s.io") ? "v4.channel.k8s.io" : false;
}

interface Asked {
  readonly user: string;
  readonly method: string;
  readonly url: URL;
  readonly apiVersion: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly sub: string | undefined;
}

type Refuse = (
  status: number,
  reason: string,
  message: string,
  more?: Record<string, unknown>,
) => void;

function verbOf({ method, name, url, sub }: Asked): string {
  if (method === "PATCH") return "patch";
  if (method === "DELETE") return "delete";
  if (method === "POST") return "create";
  if (name === undefined) return url.searchParams.has("watch") ? "watch" : "list";
  return sub === "portforward" ? "create" : "get";
}

function selects({ metadata, involvedObject, reason }: Stored, query: URLSearchParams): boolean {
  const pairs = (text: string | null) =>
    (text ?? "").split(",").filter((one) => one !== "").map((one) => one.split("="));
  const labels = metadata.labels ?? {};
  const fields: Record<string, string | undefined> = {
    "metadata.name": metadata.name,
    "involvedObject.name": involvedObject?.name,
    reason,
  };
  return pairs(query.get("labelSelector")).every(([key, value]) => labels[key!] === value) &&
    pairs(query.get("fieldSelector")).every(([key, value]) => fields[key!] === value);
}

/** JSON merge patch, RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === "object" && target !== null
    ? { ...target as Record<string, unknown> }
    : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

function shown(object: Stored): Stored {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function resourceOf(kind: string): string {
  return Object.keys(KINDS).find((name) => KINDS[name] === kind)!;
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function refuse(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  more: Record<string, unknown> = {},
): void {
  reply(response, code, {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code,
    reason,
    message,
    ...more,
  });
}

function notFound(response: ServerResponse, resource: string, name: string | undefined): void {
  refuse(response, 404, "NotFound", `${resource} "${name}" not found`, {
    details: { name, kind: resource },
  });
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
