/**
 * What an API server refuses, as errors.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { MpError } from "../../../runtime/errors.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

/** The body of a refusal. */
export interface Status {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly {
      readonly field?: string;
      readonly message?: string;
      readonly reason?: string;
    }[];
  };
}

/** A refusal of an API server. */
export class ApiError extends MpError {
  readonly status: number;
  readonly body: Status;

  constructor(status: number, body: Status, message: string, next: string | undefined) {
    super(status >= 500 || status === 429 ? "cluster_unavailable" : "cluster_refused", message, {
      next,
      ...(body.reason !== undefined && { reason: body.reason }),
    });
    this.status = status;
    this.body = body;
  }
}

/** The status of a refusal; nothing for other errors. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof ApiError ? error.status : undefined;
}

/**
 * The error for a refusal.
 *
 * @param doing What was asked for: `apply Deployment "web"`.
 */
export function apiError(
  doing: string,
  status: number,
  text: string,
  access: ClusterAccess,
): ApiError {
  const body = parse(text);
  const said = body.message?.trim() || text.trim().slice(0, 300) || `status ${status}`;
  const { why, next } = explain(status, body, said, access);
  return new ApiError(status, body, `Cannot ${doing}: ${why}`, next);
}

interface Explanation {
  readonly why: string;
  readonly next?: string;
}

function explain(status: number, body: Status, said: string, access: ClusterAccess): Explanation {
  switch (status) {
    case 401:
      return unauthorized(access);
    case 403:
      return forbidden(body, said, access);
    case 404: {
      const namespace = /namespaces "([^"]+)" not found/.exec(said)?.[1];
      return namespace === undefined ? { why: said } : {
        why: `there is no namespace "${namespace}"`,
        next:
          `Make it with kubectl create namespace ${namespace}, or choose another with --namespace`,
      };
    }
    case 409:
      return { why: said, next: "Try again: another changed it at the same time" };
    case 422: {
      const causes = body.details?.causes?.map(({ field, message }) => `${field}: ${message}`);
      return { why: causes?.length ? causes.join("; ") : said };
    }
    case 429:
      return { why: "the cluster has too much to do", next: "Try again later" };
    default:
      return status >= 500 ? { why: `the cluster failed (${status}: ${said})` } : { why: said };
  }
}

function unauthorized({ context, credentials }: ClusterAccess): Explanation {
  const expired = credentials.certificate && expiryOf(credentials.certificate);
  if (expired && expired < new Date()) {
    return {
      why: `the client certificate of context "${context}" expired on ${
        expired.toISOString().slice(0, 10)
      }`,
      next: "Get a new kubeconfig from your cluster",
    };
  }
  return {
    why: `the cluster does not accept the credentials of context "${context}"`,
    next: "Log in to the cluster again, or choose another context with --context",
  };
}

function expiryOf(certificate: string): Date | undefined {
  try {
    return new Date(new X509Certificate(certificate).validTo);
  } catch {
    return undefined;
  }
}

const MISSING_RIGHT =
  /User "([^"]*)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/;

function forbidden({ details }: Status, said: string, { context }: ClusterAccess): Explanation {
  if (
    details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") ||
    /because it is being terminated/.test(said)
  ) {
    const namespace = /in namespace (\S+)/.exec(said)?.[1];
    return {
      why: `the namespace${namespace ? ` "${namespace}"` : ""} is being deleted`,
      next: "Wait until it is gone, or choose another with --namespace",
    };
  }
  const quota = /exceeded quota: (.*)$/.exec(said)?.[1];
  if (quota !== undefined) {
    return {
      why: `it exceeds the quota ${quota}`,
      next: "Run fewer replicas or ask for less resources, or have the quota raised",
    };
  }
  const right = MISSING_RIGHT.exec(said);
  if (right) {
    const [, user, verb, resource, group, namespace] = right;
    const what = group ? `${resource}.${group}` : resource;
    return {
      why: `user "${user}" of context "${context}" may not ${verb} ${what}` +
        (namespace ? ` in namespace "${namespace}"` : ""),
      next: `Ask for that right; kubectl auth can-i ${verb} ${what}${
        namespace ? ` -n ${namespace}` : ""
      } tells when you have it`,
    };
  }
  return { why: said };
}

function parse(text: string): Status {
  try {
    const body = JSON.parse(text) as Status;
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
}
