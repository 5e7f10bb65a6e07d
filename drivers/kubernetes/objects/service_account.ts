/**
 * The account of the pods, which may do nothing. Pure.
 *
 * @module
 */

import type { KubeObject } from "../kube_object.ts";
import { appMeta, type TreeContext } from "./object_meta.ts";

/** An account without a token: a replica never talks to the cluster. */
export function serviceAccount(
  name: string,
  context: Pick<TreeContext, "namespace" | "app">,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: appMeta(name, context),
    automountServiceAccountToken: false,
  };
}
