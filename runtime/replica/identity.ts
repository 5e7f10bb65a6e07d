/**
 * The identify stage: environment → `ReplicaIdentity`. Pure.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Address } from "../launch/address_book.ts";

/** Who a replica is and where it finds what it needs. */
export interface ReplicaIdentity {
  readonly app: string;
  readonly path: string;
  /** The flat index among all replicas of the path. */
  readonly index: number;
  /** Path and flat index, `histogram-service.scatter.3`. */
  readonly name: string;
  readonly revision: string;
  /** The bundle in its canonical form, a file. */
  readonly bundle: string;
  readonly sourceMap: string;
  /** The topology script, for `import.meta`. */
  readonly script: string;
  /** The address book, a file. */
  readonly book: string;
  /** The deployment's secret, a file. */
  readonly secretFile: string;
  /** The supervisor, when there is one. */
  readonly supervisor: Address | undefined;
  /** The process with which it ends, when there is one. */
  readonly parent: number | undefined;
}

/**
 * Reads a replica's identity from its environment (`MP_REPLICA` and the like).
 *
 * @throws {MpError} `launch_failed` naming the variable that is missing or wrong.
 */
export function identify(env: Readonly<Record<string, string | undefined>>): ReplicaIdentity {
  const name = required(env, "MP_REPLICA");
  const match = /^(.+)\.(\d+)$/.exec(name);
  if (!match) throw wrong("MP_REPLICA", name);
  const parent = env.MP_PARENT_PID;
  if (parent !== undefined && !/^\d+$/.test(parent)) throw wrong("MP_PARENT_PID", parent);
  return {
    app: required(env, "MP_APP"),
    path: match[1]!,
    index: Number(match[2]),
    name,
    revision: required(env, "MP_REVISION"),
    bundle: required(env, "MP_BUNDLE"),
    sourceMap: required(env, "MP_SOURCE_MAP"),
    script: required(env, "MP_SCRIPT"),
    book: required(env, "MP_BOOK"),
    secretFile: required(env, "MP_SECRET_FILE"),
    supervisor: env.MP_SUPERVISOR as Address | undefined,
    parent: parent === undefined ? undefined : Number(parent),
  };
}

function required(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (value) return value;
  throw new MpError("launch_failed", `Cannot start a replica: ${name} is not set`, {
    next: "Start replicas through mp run",
  });
}

function wrong(name: string, value: string): MpError {
  return new MpError(
    "launch_failed",
    `Cannot start a replica: ${name} is ${JSON.stringify(value)}`,
    {
      next: "Start replicas through mp run",
    },
  );
}
