/**
 * Which storage pods use. Pure.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { Plan } from "../../runtime/plan/plan.ts";
import { chooseStorage } from "../../runtime/storage/choose_storage.ts";
import { DATA } from "./objects/pod_template.ts";

/** What chooses it. */
export interface StorageChoice {
  /** The environment of the command line's own. */
  readonly given: Readonly<Record<string, string>>;
  /** Reads what else is in the environment of the launcher. */
  readonly around: (name: string) => string | undefined;
  /** A PersistentVolumeClaim. */
  readonly claim: string | undefined;
}

const VARIABLES = ["MP_STORAGE", "REDIS_URL", "REDIS_HOST", "MYSQL_URL"];
const OWN_HOST = /^(localhost|127(\.\d+){3}|0\.0\.0\.0|::1?|\[::1?\])$/i;
const REMEDY = "Choose --storage redis://… or mysql://…";

/**
 * The variables that tell replicas where scopes live. A file would be another one in each pod, and gone with it,
 * so that it takes a claim, and one replica. What a script chooses by itself is known in replicas only, and they
 * refuse a file too.
 *
 * @throws {MpError} `unsupported` for a file, `usage` for an address that means the pod itself.
 */
export function storageForPods(
  { app, nodes }: Plan,
  { given, around, claim }: StorageChoice,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of VARIABLES) {
    const value = given[name] ?? around(name);
    if (value) env[name] = value;
  }
  const config = chooseStorage({ env, folder: DATA });
  if (config.storage === "memory") return env;
  if (config.storage !== "file") {
    const host = "host" in config ? config.host : "";
    const local = "socketPath" in config && config.socketPath ? config.socketPath : host;
    if (!OWN_HOST.test(host) && local === host) return env;
    throw new MpError(
      "usage",
      `Cannot use the storage ${config.storage} at ${local}: in a pod that is the pod itself`,
      {
        where: VARIABLES.find((name) => env[name] !== undefined),
        next: "Name a host that pods reach, such as that of a Service",
      },
    );
  }
  const replicas = nodes.reduce((sum, node) => sum + node.replicas, 0);
  if (claim !== undefined && replicas === 1) return { MP_STORAGE: `file:${DATA}/data.db` };
  if (!env.MP_STORAGE && claim === undefined) {
    return {
      MP_STORAGE_REFUSED: "pods have no files that last: choose --storage redis://… or mysql://…",
    };
  }
  const why = replicas === 1
    ? "a pod's own files are gone when it ends"
    : `it has ${replicas} replicas, each a pod that sees its own files only`;
  throw new MpError("unsupported", `Cannot run "${app}" with storage file: ${why}`, {
    next: replicas === 1 ? `Name a PersistentVolumeClaim with --volume-claim. ${REMEDY}` : REMEDY,
  });
}
