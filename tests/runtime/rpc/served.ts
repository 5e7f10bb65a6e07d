/**
 * An endpoint that is served on a free port.
 *
 * @module
 */

import { MpError } from "../../../runtime/errors.ts";
import { Payload } from "../../../runtime/payload.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { rpcApp, type RpcAppOptions } from "../../../runtime/rpc/app.ts";
import type { CallMeta, RpcService } from "../../../runtime/rpc/rpc_service.ts";

type Handler = (request: never, meta: CallMeta) => unknown;

/** Services made of functions of the request. */
export function serviceOf(handlers: Record<string, Handler>, missing: string[] = []): RpcService {
  return {
    methods: () => Object.keys(handlers).map((name) => ({ name, path: `${name}.gather` })),
    call(method, payload, meta) {
      const result = handlers[method]!(payload.value as never, meta);
      return result instanceof Promise ? result.then(Payload.of) : Payload.of(result);
    },
    ready: () => ({ ready: missing.length === 0, missing }),
  };
}

/** A service for every outcome that a call can have. */
export const service: RpcService = serviceOf({
  echo: (request: unknown) => request,
  later: async (request: unknown) => {
    await Promise.resolve();
    return request;
  },
  nothing: () => undefined,
  fails: () => {
    throw new Error("no such file '/home/me/shop/prices.json'");
  },
  late: () => Promise.reject(new MpError("deadline_exceeded", "Cannot call: too late")),
  notJson: () => NaN,
});

/** What a test does with a served endpoint. */
export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Posts a body as JSON. */
  post(body: BodyInit, headers?: Record<string, string>): Promise<Response>;
  /** Posts a body and returns the parsed reply. */
  // deno-lint-ignore no-explicit-any -- replies have any shape
  call(body: unknown, headers?: Record<string, string>): Promise<any>;
}

/** Serves an endpoint until it is disposed of. */
export function serve(options: Partial<RpcAppOptions> = {}): Served {
  const app = rpcApp({ service, ...options });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, app.fetch);
  const { port } = server.addr;
  const url = `http://127.0.0.1:${port}/`;
  const post: Served["post"] = (body, headers) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  return {
    port,
    url,
    post,
    async call(body, headers) {
      const response = await post(
        typeof body === "string" ? body : JSON.stringify(body),
        headers,
      );
      return response.status === 204 ? await response.text() : await response.json();
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      deadlines.settle();
    },
  };
}
