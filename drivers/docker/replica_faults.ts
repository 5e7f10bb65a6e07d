/**
 * What is wrong with replicas, in words that help.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { ReplicaId } from "../../runtime/launch/driver.ts";
import type { TrackedReplica } from "./tracked_replica.ts";

/** The error for a replica that does not become ready. */
export function notReady(replica: TrackedReplica): MpError {
  const { name, fatal, failures, trouble } = replica;
  return fatal
    ? new MpError("launch_failed", `Cannot start ${name}: ${trouble}`, { replica: name })
    : new MpError("crash_loop", `Cannot start ${name}: it ended ${failures} times: ${trouble}`, {
      replica: name,
      next: "See what it wrote above, or with mp logs",
    });
}

/** The error for a replica that is not there. */
export function noReplica({ path, index }: ReplicaId): MpError {
  return new MpError(
    "deployment_not_found",
    `Cannot restart ${path}.${index}: there is no such replica`,
    { next: "See what runs with mp ps" },
  );
}
