/**
 * Where a cluster is and who asks it: from kubeconfig files, or from within a pod.
 *
 * @module
 */

import { dirname, isAbsolute, join } from "node:path";
import { parse } from "@std/yaml";
import { messageOf, MpError } from "../../../runtime/errors.ts";

/** A cluster, and a user of it. */
export interface ClusterAccess {
  /** The context's name, or `in-cluster`. */
  readonly context: string;
  /** The API server. */
  readonly server: string;
  /** Certificates of authorities, PEM. */
  readonly ca?: string;
  /** Whether the server's certificate is not looked at. */
  readonly insecure: boolean;
  /** The name in the server's certificate, where that is not its host. */
  readonly serverName?: string;
  /** A proxy on the way. */
  readonly proxy?: string;
  /** The context's namespace. */
  readonly namespace?: string;
  readonly credentials: CredentialSource;
}

/** How a user proves who it is. */
export interface CredentialSource {
  /** Client certificate and key, PEM. */
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
  /** A file with a token that changes. */
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly exec?: ExecPlugin;
}

/** A program that gets credentials. */
export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly installHint?: string;
  /** Whether it is told about the cluster. */
  readonly provideClusterInfo: boolean;
  /** The folder of the kubeconfig file, to which a relative command belongs. */
  readonly folder: string;
}

/** Options of {@linkcode readAccess}. */
export interface AccessOptions {
  /** `--context`; the current one without it. */
  readonly context?: string;
  env(name: string): string | undefined;
}

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Reads how to reach a cluster: `KUBECONFIG`, else `~/.kube/config`, else the pod that this runs in.
 *
 * @throws {MpError} `cluster_unavailable` when there is none, it cannot be read, or a context is unknown.
 */
export function readAccess({ context, env }: AccessOptions): ClusterAccess {
  const home = env("HOME") ?? env("USERPROFILE");
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const named = (env("KUBECONFIG") ?? "").split(separator).filter((path) => path !== "");
  const paths = named.length > 0 ? named : home ? [join(home, ".kube", "config")] : [];
  const files = paths.flatMap((path) => readFile(path));
  if (files.length > 0) return fromFiles(files, context);
  const inCluster = named.length === 0 && context === undefined ? fromPod(env) : undefined;
  if (inCluster) return inCluster;
  throw new MpError(
    "cluster_unavailable",
    `Cannot find a cluster: there is no kubeconfig${
      paths.length ? ` at ${paths.join(" or ")}` : ""
    }`,
    { next: "Set KUBECONFIG to the file that your cluster gave you, or write ~/.kube/config" },
  );
}

interface ConfigFile {
  readonly path: string;
  readonly config: RawConfig;
}

interface RawConfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly Named<"context", RawContext>[];
  readonly clusters?: readonly Named<"cluster", RawCluster>[];
  readonly users?: readonly Named<"user", RawUser>[];
}

type Named<Key extends string, T> = { readonly name: string } & { readonly [K in Key]?: T };

interface RawContext {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

interface RawCluster {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
  readonly "proxy-url"?: string;
}

interface RawUser {
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly "auth-provider"?: { readonly name?: string };
  readonly exec?: {
    readonly apiVersion?: string;
    readonly command?: string;
    readonly args?: readonly string[] | null;
    readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
    readonly installHint?: string;
    readonly provideClusterInfo?: boolean;
  };
}

function readFile(path: string): ConfigFile[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    // as kubectl does: of several files some may be missing
    if (error instanceof Deno.errors.NotFound) return [];
    throw unreadable(path, messageOf(error), error);
  }
  try {
    const config = parse(text);
    if (config === null || config === undefined) return [];
    if (typeof config !== "object" || Array.isArray(config)) throw new Error("it is no mapping");
    return [{ path, config: config as RawConfig }];
  } catch (error) {
    throw unreadable(path, messageOf(error), error);
  }
}

function unreadable(path: string, why: string, cause: unknown): MpError {
  return new MpError("cluster_unavailable", `Cannot read kubeconfig "${path}": ${why}`, {
    cause,
    where: path,
    next: "Correct the file, or set KUBECONFIG to another",
  });
}

/** The first file that has a name wins, as with kubectl. */
function fromFiles(files: readonly ConfigFile[], wanted: string | undefined): ClusterAccess {
  const where = files.map(({ path }) => path).join(", ");
  const current = files.map(({ config }) => config["current-context"]).find((name) => name);
  const name = wanted ?? current;
  const contexts = files.flatMap(({ config }) => config.contexts ?? []).map(({ name }) => name);
  if (!name) {
    throw new MpError("cluster_unavailable", "Cannot tell which cluster: no context is current", {
      where,
      next: contexts.length > 0
        ? `Add --context, one of ${contexts.join(", ")}`
        : "Add a context to the kubeconfig",
    });
  }
  const missing = (kind: string, missing: string | undefined) =>
    new MpError(
      "cluster_unavailable",
      `Cannot use context "${name}": ${kind} "${missing}" is not there`,
      {
        where,
        next: contexts.length > 0 ? `The contexts are ${contexts.join(", ")}` : undefined,
      },
    );
  const found = find(files, (config) => config.contexts, name);
  if (!found?.entry.context) {
    throw new MpError(
      "cluster_unavailable",
      `Cannot use context "${name}": there is none of that name`,
      {
        where,
        next: contexts.length > 0
          ? `The contexts are ${contexts.join(", ")}`
          : "The kubeconfig has no contexts",
      },
    );
  }
  const { cluster: clusterName, user: userName, namespace } = found.entry.context;
  const cluster = find(files, (config) => config.clusters, clusterName);
  if (!cluster?.entry.cluster?.server) throw missing("cluster", clusterName);
  const user = find(files, (config) => config.users, userName);
  if (userName && !user?.entry.user) throw missing("user", userName);
  const raw = cluster.entry.cluster;
  return {
    context: name,
    server: raw.server!,
    ca: dataOf(raw["certificate-authority-data"], raw["certificate-authority"], cluster.path),
    insecure: raw["insecure-skip-tls-verify"] === true,
    serverName: raw["tls-server-name"],
    proxy: raw["proxy-url"],
    namespace,
    credentials: user ? credentialsOf(user.entry.user!, user.path, name) : {},
  };
}

function find<T extends { readonly name: string }>(
  files: readonly ConfigFile[],
  list: (config: RawConfig) => readonly T[] | undefined,
  name: string | undefined,
): { readonly entry: T; readonly path: string } | undefined {
  for (const { path, config } of files) {
    const entry = list(config)?.find((one) => one.name === name);
    if (entry) return { entry, path };
  }
  return undefined;
}

function credentialsOf(raw: RawUser, path: string, context: string): CredentialSource {
  const { exec, token, tokenFile, username, password } = raw;
  const provider = raw["auth-provider"]?.name;
  if (provider !== undefined && !exec && !token) {
    throw new MpError(
      "cluster_unavailable",
      `Cannot use context "${context}": auth provider "${provider}" was removed from Kubernetes in 1.26`,
      { where: path, next: "Update the kubeconfig to an exec plug-in, as your provider documents" },
    );
  }
  return {
    certificate: dataOf(raw["client-certificate-data"], raw["client-certificate"], path),
    key: dataOf(raw["client-key-data"], raw["client-key"], path),
    ...(token ? { token } : {}),
    ...(tokenFile ? { tokenFile: absolute(tokenFile, path) } : {}),
    ...(username !== undefined && { username, password: password ?? "" }),
    ...(exec?.command && {
      exec: {
        apiVersion: exec.apiVersion ?? "client.authentication.k8s.io/v1",
        command: exec.command,
        args: exec.args ?? [],
        env: Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
        installHint: exec.installHint,
        provideClusterInfo: exec.provideClusterInfo ?? false,
        folder: dirname(path),
      },
    }),
  };
}

/** What stands in a kubeconfig in base64, or in a file that it names. */
function dataOf(
  data: string | undefined,
  file: string | undefined,
  config: string,
): string | undefined {
  if (data) {
    try {
      return atob(data);
    } catch (error) {
      throw unreadable(config, "a certificate or key in it is no base64", error);
    }
  }
  if (!file) return undefined;
  const path = absolute(file, config);
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw unreadable(path, messageOf(error), error);
  }
}

function absolute(path: string, config: string): string {
  return isAbsolute(path) ? path : join(dirname(config), path);
}

/** A pod's own account; nothing outside of a pod. */
function fromPod(env: AccessOptions["env"]): ClusterAccess | undefined {
  const host = env("KUBERNETES_SERVICE_HOST");
  const port = env("KUBERNETES_SERVICE_PORT");
  if (!host || !port) return undefined;
  const read = (name: string): string | undefined => {
    try {
      return Deno.readTextFileSync(`${ACCOUNT}/${name}`).trim();
    } catch {
      return undefined;
    }
  };
  const ca = read("ca.crt");
  if (ca === undefined || read("token") === undefined) return undefined;
  return {
    context: "in-cluster",
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ca,
    insecure: false,
    namespace: read("namespace"),
    credentials: { tokenFile: `${ACCOUNT}/token` },
  };
}
