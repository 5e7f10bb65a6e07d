/**
 * The rights of a pod: none. Passes the Pod Security Standard `restricted`. Pure.
 *
 * @module
 */

import type { KubeFields } from "../kube_object.ts";

/** A user that no image and no node has. */
const NOBODY = 65_532;

/** The security context of every pod. The group lets it read its secret. */
export const POD_SECURITY: KubeFields = Object.freeze({
  runAsNonRoot: true,
  runAsUser: NOBODY,
  runAsGroup: NOBODY,
  fsGroup: NOBODY,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
});

/** The security context of every container. */
export const CONTAINER_SECURITY: KubeFields = Object.freeze({
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
});
