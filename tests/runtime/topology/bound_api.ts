/**
 * The scripting API, bound to a topology of its own.
 *
 * @module
 */

import type { Payload } from "../../../runtime/payload.ts";
import { type ScriptApi, scriptApi, type ScriptHost } from "../../../runtime/topology/api.ts";
import { noScopes } from "../../../runtime/topology/scopes.ts";
import type { ServiceCallOptions } from "../../../runtime/topology/service.ts";
import type { Topology } from "../../../runtime/topology/topology.ts";

/** An API and what went through it. */
export interface BoundApi {
  readonly mp: ScriptApi;
  readonly topology: Topology;
  readonly calls: { service: string; payload: Payload; options: ServiceCallOptions }[];
}

/** Binds the API; calls are noted, and fail unless `host` answers them. */
export function boundApi(host: Partial<ScriptHost> = {}): BoundApi {
  const calls: BoundApi["calls"] = [];
  const { api, topology } = scriptApi({
    call(service, payload, options) {
      calls.push({ service, payload, options });
      return Promise.reject(new Error("nothing answers"));
    },
    current: () => undefined,
    serve() {},
    print() {},
    scopes: noScopes(() => new Error("there are no scopes")),
    ...host,
  });
  return { mp: api, topology, calls };
}
