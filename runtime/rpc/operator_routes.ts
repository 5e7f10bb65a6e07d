/**
 * What operators and lost people ask an endpoint for.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import type { RpcMetrics } from "./metrics.ts";
import type { Exposition } from "./prometheus.ts";
import type { RpcService } from "./rpc_service.ts";

/** What the answers are made of. */
export interface OperatorRoutesOptions {
  /** The app. */
  readonly name: string;
  readonly service: RpcService;
  readonly metrics: RpcMetrics;
}

const PATHS = Object.freeze({
  "POST /": "JSON-RPC 2.0; the method rpc.discover describes all methods",
  "GET /": "this",
  "GET /healthz": "whether the process answers",
  "GET /readyz": "whether calls can be answered, and what is missing; ?once: or could be before",
  "GET /metrics": "metrics for Prometheus",
});

/** Adds `GET /`, `/healthz`, `/readyz` and `/metrics`, and answers for what is not there. */
export function addOperatorRoutes(hono: Hono, options: OperatorRoutesOptions): void {
  const { name, service, metrics } = options;
  hono.get("/", (c) => {
    const methods = Array.from(service.methods(), (method) => method.name);
    return c.body(introduction(name, methods, c.req.url), 200, {
      "content-type": "application/json",
    });
  });
  hono.get("/healthz", (c) => c.json({ status: "ok" }));
  hono.get("/readyz", async (c) => {
    const { ready, missing } = await service.ready(c.req.query("once") !== undefined);
    return c.json({ ready, missing }, ready ? 200 : 503);
  });
  let exposition: Promise<Exposition> | undefined;
  hono.get("/metrics", async (c) => {
    exposition ??= import("./prometheus.ts").then(({ prometheus }) => prometheus(metrics));
    const { contentType, text } = await exposition;
    return c.body(await text(), 200, { "content-type": contentType });
  });
  hono.notFound(notFound);
}

function notFound(c: Context): Response {
  const { method, path } = c.req;
  const allowed = Object.keys(PATHS).map((known) => known.split(" "))
    .filter(([, there]) => there === path).map(([allowed]) => allowed!);
  const what = `Cannot ${method} ${JSON.stringify(path)}`;
  if (allowed.length === 0) {
    return c.json({ error: `${what}: nothing is there`, paths: PATHS }, 404);
  }
  const error = `${what}: only ${allowed.join(" and ")} is possible`;
  return c.json({ error, paths: PATHS }, 405, { allow: allowed.join(", ") });
}

function introduction(name: string, methods: readonly string[], url: string): string {
  const call = { jsonrpc: "2.0", id: 1, method: methods[0] ?? "rpc.discover", params: [] };
  const example = `curl -H 'Content-Type: application/json' -d '${JSON.stringify(call)}' ${url}`;
  const what = { name, is: "a JSON-RPC 2.0 endpoint of mp", methods, example, paths: PATHS };
  return JSON.stringify(what, null, 2) + "\n";
}
