/**
 * An endpoint's description of itself. Pure.
 *
 * @module
 */

import { CODES } from "../errors.ts";
import type { RpcMethod } from "./rpc_service.ts";

/** What the methods belong to. */
export interface OpenRpcInfo {
  /** The app. */
  readonly title: string;
  /** Its revision. */
  readonly version: string;
}

/** The errors that a call of any service may end with, besides those of JSON-RPC itself. */
const CALL_ERRORS = [
  "handler_failed",
  "deadline_exceeded",
  "replica_unreachable",
  "overloaded",
  "not_json",
] as const;

/**
 * The OpenRPC document of an endpoint. Requests and responses are any JSON: their types exist in the
 * topology script only.
 *
 * @param info What the methods belong to.
 * @param methods The methods.
 */
export function openRpc(info: OpenRpcInfo, methods: Iterable<RpcMethod>): Record<string, unknown> {
  return {
    openrpc: "1.3.2",
    info,
    methods: Array.from(methods, ({ name, path, description }) => ({
      name,
      ...(description !== undefined && { description }),
      ...(path !== undefined && { "x-path": path }),
      paramStructure: "by-position",
      params: [{ name: "request", required: false, schema: true }],
      result: { name: "response", schema: true },
      errors: CALL_ERRORS.map((code) => ({
        code: CODES[code].rpc,
        message: code,
        data: { code },
      })),
    })),
  };
}
