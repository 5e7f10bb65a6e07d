/**
 * Web pages of other origins that may call (CORS): none, unless they are named.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { RpcApp } from "./app.ts";

/** Stands for every origin. */
const ANY = "*";

/** What a page may send besides what every page may. */
const HEADERS =
  "content-type, authorization, idempotency-key, x-request-id, x-timeout-ms, traceparent, tracestate";
/** What a page may read besides what every page may. */
const EXPOSED = "www-authenticate, retry-after";
/** How long a browser may remember what it was told, in seconds. */
const MAX_AGE = "600";

/**
 * Reads origins, as `https://shop.example` or `http://localhost:5173`, or `*` for all.
 *
 * @param text Separated by white space or commas.
 * @throws {MpError} `usage` for what is no origin.
 */
export function readOrigins(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "").map((word) => {
    const url = URL.parse(word);
    const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" &&
      url.search + url.hash + url.username + url.password === "" && !word.includes(ANY);
    if (word === ANY) return ANY;
    if (isOrigin) return url.origin;
    throw new MpError("usage", `Cannot read the origin ${JSON.stringify(word)}: it is none`, {
      next: "Give one such as https://shop.example or http://localhost:5173, or * for all",
    });
  });
}

/** Has pages of some origins call an endpoint: answers what browsers ask first, and says so in its responses. */
export function forOrigins(fetch: RpcApp["fetch"], origins: readonly string[]): RpcApp["fetch"] {
  const any = origins.includes(ANY);
  const allow = (response: Response, origin: string | null): Response => {
    const { headers } = response;
    if (!any) headers.append("vary", "origin");
    if (origin === null || !(any || origins.includes(origin))) return response;
    headers.set("access-control-allow-origin", any ? ANY : origin);
    headers.set("access-control-expose-headers", EXPOSED);
    return response;
  };
  return (request, info) => {
    const origin = request.headers.get("origin");
    if (isAsked(request)) return allow(preflight(), origin);
    const response = fetch(request, info);
    return response instanceof Promise
      ? response.then((response) => allow(response, origin))
      : allow(response, origin);
  };
}

/** Whether a browser asks whether it may send a request. */
function isAsked({ method, headers }: Request): boolean {
  return method === "OPTIONS" && headers.has("access-control-request-method");
}

function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "POST, GET",
      "access-control-allow-headers": HEADERS,
      "access-control-max-age": MAX_AGE,
    },
  });
}
