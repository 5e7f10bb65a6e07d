/**
 * The endpoint over HTTP: JSON-RPC 2.0 at `POST /`, and what operators ask.
 *
 * @module
 */

import { Hono } from "hono";
import { MpError } from "../errors.ts";
import { equalInConstantTime } from "../peer/handshake.ts";
import { Endpoint } from "./endpoint.ts";
import { type BodyCutOff, type CallerInfo, Exchange, type ExchangeHost } from "./exchange.ts";
import { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
import { RpcMetrics } from "./metrics.ts";
import { forOrigins } from "./origins.ts";
import { openRpc } from "./openrpc.ts";
import { addOperatorRoutes } from "./operator_routes.ts";
import type { RpcService } from "./rpc_service.ts";

/** Options of {@linkcode rpcApp}. */
export interface RpcAppOptions {
  readonly service: RpcService;
  /** The app, for people and the OpenRPC document. Default: `mp`. */
  readonly name?: string;
  /** Its revision, for the OpenRPC document. Default: `0`. */
  readonly revision?: string;
  /** The replica that answers, put into errors that name none. */
  readonly replica?: string;
  /** Default: {@linkcode DEFAULT_LIMITS}. */
  readonly limits?: Partial<RpcLimits>;
  /** When set, calls need `Authorization: Bearer <secret>`. */
  readonly secret?: string;
  /** Where to count; several endpoints of a process may share it. Default: counters of its own. */
  readonly metrics?: RpcMetrics;
  /** Origins whose web pages may call; `*` for all. Default: none. */
  readonly origins?: readonly string[];
  /** Ends bodies that do not come in time, where the server's own means are not enough. */
  readonly cutOff?: BodyCutOff;
  /** While true, every response asks the caller to close the connection. */
  readonly draining?: () => boolean;
}

/** An endpoint. */
export interface RpcApp {
  /** The handler for `Deno.serve`. */
  readonly fetch: (request: Request, info?: CallerInfo) => Response | Promise<Response>;
  /** The routes; what is added to them is served too. */
  readonly hono: Hono;
  readonly metrics: RpcMetrics;
}

// shared and never changed; Deno recognises this very form and sends it without making headers of it
const JSON_TYPE = Object.freeze({ "content-type": "application/json" });
const OK = Object.freeze({ headers: JSON_TYPE });

/**
 * Makes an endpoint.
 *
 * @example Serve it
 * ```ts ignore
 * const app = rpcApp({ service });
 * Deno.serve(app.fetch);
 * ```
 */
export function rpcApp(options: RpcAppOptions): RpcApp {
  const { service, replica, name = "mp", revision = "0" } = options;
  const metrics = options.metrics ?? new RpcMetrics();
  const endpoint = new Endpoint({
    service,
    metrics,
    replica,
    discover: () => openRpc({ title: name, version: revision }, service.methods()),
  });
  const draining = options.draining ?? (() => false);
  const closing = (response: Response): Response => {
    if (draining()) response.headers.set("connection", "close");
    return response;
  };
  const host: ExchangeHost = {
    endpoint,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    cutOff: options.cutOff,
    respond(reply, status = 200, more) {
      if (more !== undefined) {
        const headers = { ...(reply && JSON_TYPE), ...more };
        return closing(new Response(reply || null, { status, headers }));
      }
      if (reply === "") return closing(new Response(null, { status: 204 }));
      return closing(
        new Response(reply, status === 200 ? OK : { status, headers: JSON_TYPE }),
      );
    },
  };
  const bearer = options.secret === undefined ? undefined : `Bearer ${options.secret}`;
  const call = (request: Request, info?: CallerInfo): Promise<Response> | Response => {
    const exchange = new Exchange(request, info, host);
    const type = request.headers.get("content-type");
    if (type !== "application/json" && !isJson(type)) {
      return host.respond(endpoint.refuse(notJsonType(type)), 415);
    }
    if (bearer && !equalInConstantTime(request.headers.get("authorization") ?? "", bearer)) {
      return host.respond(endpoint.refuse(unauthorized()), 401, {
        "www-authenticate": "Bearer",
      });
    }
    return exchange.answer();
  };
  const hono = new Hono().post("/", (c) => call(c.req.raw));
  addOperatorRoutes(hono, { name, service, metrics });
  const fetch: RpcApp["fetch"] = (request, info) => {
    // Calls go past the router, which would find the same handler: 5 to 10 % more requests/s.
    if (request.method === "POST" && isRoot(request.url)) return call(request, info);
    const response = hono.fetch(request);
    return response instanceof Promise ? response.then(closing) : closing(response);
  };
  const { origins = [] } = options;
  return { hono, metrics, fetch: origins.length > 0 ? forOrigins(fetch, origins) : fetch };
}

/** Whether the path of an absolute URL is `/`, with nothing behind it. */
function isRoot(url: string): boolean {
  return url.indexOf("/", url.indexOf(":") + 4) === url.length - 1;
}

/**
 * Only JSON is taken for JSON: a browser asks before it sends that to another origin, and is refused,
 * so that no web page can call services on its visitor's machine.
 */
function isJson(type: string | null): boolean {
  return /^\s*application\/(?:json|json-rpc|jsonrequest|[\w.-]+\+json)\s*(?:;|$)/i.test(type ?? "");
}

function notJsonType(type: string | null): MpError {
  const is = type === null ? "absent" : JSON.stringify(type.slice(0, 64));
  return new MpError(
    "invalid_request",
    `Cannot read the request: its Content-Type is ${is}, not application/json; with curl, use --json`,
  );
}

function unauthorized(): MpError {
  return new MpError("unauthorized", "Cannot answer the request: it does not hold the secret");
}
