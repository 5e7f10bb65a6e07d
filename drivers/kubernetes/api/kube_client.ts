/**
 * The part of Kubernetes' API that the driver uses.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { MpError } from "../../../runtime/errors.ts";
import type { Identified, KubeFields, KubeObject, ObjectId } from "../kube_object.ts";
import { MANAGER, selectorText } from "../labels.ts";
import { ApiError, apiError, type Status, statusOf } from "./api_error.ts";
import type { ApiReply, ApiRequest, Connection } from "./connection.ts";
import { collectionPath, type Kind, objectPath } from "./resources.ts";
import { splitLines } from "./split_lines.ts";

/** Which objects are meant. */
export interface Selection {
  /** All namespaces without one. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** A field selector, `involvedObject.name=web-0`. */
  readonly fields?: string;
  readonly signal?: AbortSignal;
}

/** A list at one moment. */
export interface ObjectList<T extends Identified = KubeObject> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** What a watch tells. */
export interface WatchEvent<T extends Identified = KubeObject> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

/** Options of {@linkcode KubeClient.apply}. */
export interface ApplyOptions {
  /** Whether the server only says what it would do. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode KubeClient.logs}. */
export interface PodLogOptions {
  readonly container?: string;
  readonly follow?: boolean;
  /** Those of the container that ran before. */
  readonly previous?: boolean;
  readonly tailLines?: number;
  readonly sinceTime?: string;
  readonly timestamps?: boolean;
  readonly signal?: AbortSignal;
}

/** A page of a list. */
const PAGE = "500";
/** How often what may succeed later is tried. */
const TRIES = 5;
/** The first pause between tries, in milliseconds; each is twice the one before. */
const PAUSE = 200;
const LONGEST_PAUSE = 10_000;

/** Asks an API server. */
export class KubeClient {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** One object; nothing when there is none. @throws {MpError} Whatever the server refuses. */
  async get<T extends Identified = KubeObject>(
    id: ObjectId,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    try {
      return await this.json<T>(`read ${nameOf(id)}`, {
        method: "GET",
        path: objectPath(id),
        signal,
      });
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** All objects of a kind. */
  async list<T extends Identified = KubeObject>(
    kind: Kind,
    { namespace, labels, fields, signal }: Selection = {},
  ): Promise<ObjectList<T>> {
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page: {
        items?: T[];
        metadata?: { resourceVersion?: string; continue?: string };
      } = await this.json(`list ${kind.kind}s`, {
        method: "GET",
        path: collectionPath(kind, namespace),
        query: {
          limit: PAGE,
          labelSelector: labels && selectorText(labels),
          fieldSelector: fields,
          continue: next,
        },
        signal,
      });
      // items of a list do not say what they are
      for (const item of page.items ?? []) items.push({ ...kind, ...item });
      next = page.metadata?.continue || undefined;
      if (next === undefined) {
        return { items, resourceVersion: page.metadata?.resourceVersion ?? "" };
      }
    }
  }

  /** Makes an object so, whoever set its fields before (server-side apply). */
  async apply(object: KubeObject, { dryRun, signal }: ApplyOptions = {}): Promise<KubeObject> {
    const id = idOf(object);
    return await this.json<KubeObject>(`apply ${nameOf(id)}`, {
      method: "PATCH",
      path: objectPath(id),
      query: { fieldManager: MANAGER, force: "true", ...(dryRun && { dryRun: "All" }) },
      contentType: "application/apply-patch+yaml",
      body: JSON.stringify(object),
      signal,
    });
  }

  /** Changes some fields of an object (JSON merge patch). */
  async merge(id: ObjectId, fields: KubeFields, signal?: AbortSignal): Promise<KubeObject> {
    return await this.json<KubeObject>(`change ${nameOf(id)}`, {
      method: "PATCH",
      path: objectPath(id),
      query: { fieldManager: MANAGER },
      contentType: "application/merge-patch+json",
      body: JSON.stringify(fields),
      signal,
    });
  }

  /** Deletes an object, with what it owns. @returns Whether there was one. */
  async delete(id: ObjectId, signal?: AbortSignal): Promise<boolean> {
    try {
      await this.json(`delete ${nameOf(id)}`, {
        method: "DELETE",
        path: objectPath(id),
        contentType: "application/json",
        body: JSON.stringify({
          apiVersion: "v1",
          kind: "DeleteOptions",
          propagationPolicy: "Background",
        }),
        signal,
      });
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  /**
   * What happens to objects of a kind from a moment on, until the server ends it.
   *
   * @throws {ApiError} With status 410 when that moment is too long ago.
   */
  async *watch<T extends Identified = KubeObject>(
    kind: Kind,
    from: string,
    { namespace, labels, fields, signal }: Selection,
  ): AsyncGenerator<WatchEvent<T>> {
    const doing = `watch ${kind.kind}s`;
    const reply = await this.#reply(doing, {
      method: "GET",
      path: collectionPath(kind, namespace),
      query: {
        watch: "1",
        allowWatchBookmarks: "true",
        resourceVersion: from,
        labelSelector: labels && selectorText(labels),
        fieldSelector: fields,
        timeoutSeconds: "300",
      },
      signal,
    });
    for await (const line of splitLines(reply.body)) {
      const event = JSON.parse(line) as WatchEvent<T>;
      if (event.type === "ERROR") {
        const status: Status = event.object;
        throw apiError(doing, status.code ?? 500, JSON.stringify(status), this.connection.access);
      }
      yield event;
    }
  }

  /** Lines that a pod's container wrote. */
  async *logs(
    pod: Pick<ObjectId, "name" | "namespace">,
    options: PodLogOptions = {},
  ): AsyncGenerator<string> {
    const { container, follow, previous, tailLines, sinceTime, timestamps, signal } = options;
    const flag = (value: boolean | undefined) => value ? "true" : undefined;
    const reply = await this.#reply(`read the logs of pod "${pod.name}"`, {
      method: "GET",
      path: `${objectPath({ apiVersion: "v1", kind: "Pod", ...pod })}/log`,
      query: {
        container,
        follow: flag(follow),
        previous: flag(previous),
        timestamps: flag(timestamps),
        tailLines: tailLines === undefined ? undefined : String(tailLines),
        sinceTime,
      },
      signal,
    });
    yield* splitLines(reply.body);
  }

  /** Sends a request and parses its reply; what may succeed later is tried again. */
  async json<T>(doing: string, request: ApiRequest): Promise<T> {
    const reply = await this.#reply(doing, request);
    return JSON.parse(await reply.text()) as T;
  }

  close(): void {
    this.connection.close();
  }

  async #reply(doing: string, request: ApiRequest): Promise<ApiReply> {
    for (let attempt = 1;; attempt++) {
      try {
        const reply = await this.connection.send(request);
        if (reply.status < 400) return reply;
        throw apiError(doing, reply.status, await reply.text(), this.connection.access);
      } catch (error) {
        if (request.signal?.aborted || attempt >= TRIES || !isPassing(error)) throw error;
        await delay(pauseAfter(error, attempt), { signal: request.signal });
      }
    }
  }
}

/** Which object an object is. */
export function idOf({ apiVersion, kind, metadata }: KubeObject): ObjectId {
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? "" };
}

/** `Deployment "web"`. */
export function nameOf({ kind, name }: Pick<ObjectId, "kind" | "name">): string {
  return `${kind} "${name}"`;
}

/** Whether the same request may succeed a moment later. All that are made here can be made twice. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) {
    return [429, 500, 502, 503, 504].includes(error.status) ||
      (error.status === 409 && error.body.reason === "Conflict" && !error.body.details?.causes);
  }
  const code = error instanceof MpError && (error.cause as { code?: string } | undefined)?.code;
  return code === "ECONNRESET" || code === "EPIPE" || code === "UND_ERR_SOCKET";
}

function pauseAfter(error: unknown, attempt: number): number {
  const asked = error instanceof ApiError ? error.body.details?.retryAfterSeconds : undefined;
  if (asked !== undefined) return Math.min(asked * 1000, LONGEST_PAUSE);
  return PAUSE * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
}
