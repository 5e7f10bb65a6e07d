/**
 * What `mp doctor` tells of a cluster.
 *
 * @module
 */

import type { Cluster } from "./open_cluster.ts";

const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment" };

/** Asks a cluster for its version, and whether its user may look. @throws {MpError} What is wrong. */
export async function describeCluster(
  { client, context, namespace }: Cluster,
  signal: AbortSignal | undefined,
): Promise<string> {
  try {
    const { gitVersion } = await client.json<{ gitVersion?: string }>("ask for the version", {
      method: "GET",
      path: "/version",
      signal,
    });
    await client.list(DEPLOYMENT, { namespace, signal });
    return `${gitVersion ?? "a cluster"}, context "${context}", namespace "${namespace}"`;
  } finally {
    client.close();
  }
}
