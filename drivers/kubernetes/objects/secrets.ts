/**
 * What replicas read that nobody else may. Pure.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { kubeName } from "../kube_name.ts";
import type { KubeObject } from "../kube_object.ts";
import { type TreeContext, treeMeta } from "./object_meta.ts";

/** The key of the deployment's secret. */
export const SECRET_FILE = "secret";

/** The Secret of what the replicas of a tree prove to each other, and of files such as that of users. */
export function peerSecret(
  files: Readonly<Record<string, string>>,
  context: TreeContext,
): KubeObject {
  return secret(kubeName([context.app, "secret", context.tree]), files, context);
}

/** The Secret of the environment that was given at launch: URLs of storages hold passwords. */
export function envSecret(
  env: Readonly<Record<string, string>>,
  context: TreeContext,
): KubeObject {
  return secret(kubeName([context.app, "env", context.tree]), env, context);
}

function secret(
  name: string,
  texts: Readonly<Record<string, string>>,
  context: TreeContext,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: treeMeta(name, context),
    type: "Opaque",
    data: Object.fromEntries(
      Object.entries(texts).sort(([a], [b]) => a < b ? -1 : 1)
        .map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
    ),
  };
}
