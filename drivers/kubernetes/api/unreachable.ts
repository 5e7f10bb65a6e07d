/**
 * A server that cannot be reached, as an error. Pure.
 *
 * @module
 */

import { messageOf, MpError } from "../../../runtime/errors.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

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
