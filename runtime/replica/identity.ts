/**
 * The identify stage: environment → `ReplicaIdentity`. Pure. What the environment holds is told in
 * `environment.ts`.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Address } from "../launch/address_book.ts";
import type { ReplicaEnvironment } from "./environment.ts";

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
  /** The address book, a file or its text. */
  readonly book: FileOrText;
  /** The deployment's secret, a file or its text. */
  readonly secret: FileOrText;
  /** The supervisor, when there is one. */
  readonly supervisor: Address | undefined;
  /** The process with which it ends, when there is one. */
  readonly parent: number | undefined;
  /** Where it listens, in place of the host in its own addresses. */
  readonly listenHost: string | undefined;
  /** How long it may drain when it is told to end by a signal, in milliseconds. */
  readonly grace: number;
  /** How long its doors go on as before when it is told to end by a signal, in milliseconds. */
  readonly linger: number;
}

/** A file, or what would be in it. */
export type FileOrText = { readonly file: string } | { readonly text: string };

const GRACE = 10_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a replica's identity from its environment.
 *
 * @param hostname The name of the host, whose last number is the index where nothing else says it.
 * @throws {MpError} `launch_failed` naming the variable that is missing or wrong.
 */
export function identify(env: Environment, hostname: () => string = () => ""): ReplicaIdentity {
  const { path, index } = replicaOf(env, hostname);
  const parent = env.MP_PARENT_PID;
  if (parent !== undefined && !/^\d+$/.test(parent)) throw wrong("MP_PARENT_PID", parent);
  for (const name of ["MP_GRACE", "MP_LINGER"] as const) {
    const value = env[name];
    if (value && !/^\d+$/.test(value)) throw wrong(name, value);
  }
  return {
    app: required(env, "MP_APP"),
    path,
    index,
    name: `${path}.${index}`,
    revision: required(env, "MP_REVISION"),
    bundle: required(env, "MP_BUNDLE"),
    sourceMap: required(env, "MP_SOURCE_MAP"),
    script: required(env, "MP_SCRIPT"),
    book: env.MP_BOOK_JSON ? { text: env.MP_BOOK_JSON } : { file: required(env, "MP_BOOK") },
    secret: env.MP_SECRET ? { text: env.MP_SECRET } : { file: required(env, "MP_SECRET_FILE") },
    supervisor: env.MP_SUPERVISOR as Address | undefined,
    parent: parent === undefined ? undefined : Number(parent),
    listenHost: env.MP_LISTEN_HOST || undefined,
    grace: env.MP_GRACE ? Number(env.MP_GRACE) : GRACE,
    linger: Number(env.MP_LINGER || 0),
  };
}

function replicaOf(
  env: Environment,
  hostname: () => string,
): Pick<ReplicaIdentity, "path" | "index"> {
  if (env.MP_REPLICA || !env.MP_PATH) {
    const name = required(env, "MP_REPLICA");
    const match = /^(.+)\.(\d+)$/.exec(name);
    if (!match) throw wrong("MP_REPLICA", name);
    return { path: match[1]!, index: Number(match[2]) };
  }
  const path = env.MP_PATH;
  if (env.MP_INDEX) {
    if (!/^\d+$/.test(env.MP_INDEX)) throw wrong("MP_INDEX", env.MP_INDEX);
    return { path, index: Number(env.MP_INDEX) };
  }
  const pod = env.MP_POD_NAME || hostname();
  const ordinal = /-(\d+)$/.exec(pod);
  if (ordinal) return { path, index: Number(ordinal[1]) };
  throw wrong(env.MP_POD_NAME ? "MP_POD_NAME" : "MP_INDEX", env.MP_POD_NAME ?? "");
}

function required(env: Environment, name: keyof ReplicaEnvironment): string {
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
