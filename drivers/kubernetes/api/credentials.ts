/**
 * Credentials for a cluster, got anew when they expire.
 *
 * @module
 */

import { isAbsolute, join } from "node:path";
import { messageOf, MpError } from "../../../runtime/errors.ts";
import type { ClusterAccess, ExecPlugin } from "./kubeconfig.ts";

/** What goes with a request. */
export interface Credentials {
  /** The header `Authorization`. */
  readonly authorization?: string;
  /** Client certificate and key, PEM. */
  readonly certificate?: string;
  readonly key?: string;
}

/** Gets credentials. */
export interface CredentialGetter {
  /** @param anew Whether those before were refused. @throws {MpError} `cluster_unavailable`. */
  get(anew?: boolean): Promise<Credentials>;
}

/** A token in a file is read again after so long, in milliseconds. */
const FILE_LIFETIME = 60_000;
/** What expires so soon is got anew, in milliseconds. */
const EARLY = 30_000;

/** How a user of a cluster gets its credentials. */
export function credentialGetter(access: ClusterAccess): CredentialGetter {
  const { certificate, key, token, tokenFile, username, password, exec } = access.credentials;
  const fixed: Credentials = { certificate, key };
  if (exec) return cached(() => runPlugin(exec, access));
  if (tokenFile !== undefined) {
    // deno-lint-ignore require-await -- a file that cannot be read is a rejection
    return cached(async () => ({
      credentials: { ...fixed, authorization: `Bearer ${readToken(tokenFile)}` },
      expires: Date.now() + FILE_LIFETIME,
    }));
  }
  const authorization = token !== undefined
    ? `Bearer ${token}`
    : username !== undefined
    ? `Basic ${btoa(`${username}:${password}`)}`
    : undefined;
  return { get: () => Promise.resolve({ ...fixed, ...(authorization && { authorization }) }) };
}

interface Got {
  readonly credentials: Credentials;
  /** In milliseconds since the epoch; never without it. */
  readonly expires?: number;
}

function cached(get: () => Promise<Got>): CredentialGetter {
  let got: Promise<Got> | undefined;
  return {
    async get(anew = false) {
      const known = got && await got.catch(() => undefined);
      if (anew || !known || (known.expires ?? Infinity) < Date.now() + EARLY) got = get();
      return (await got!).credentials;
    },
  };
}

function readToken(path: string): string {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch (error) {
    throw new MpError(
      "cluster_unavailable",
      `Cannot read the token of the cluster's user: ${messageOf(error)}`,
      { where: path, cause: error },
    );
  }
}

interface ExecCredential {
  readonly kind?: string;
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

/** Runs a plug-in as kubectl does: what it is told is in its environment, and it answers on stdout. */
async function runPlugin(plugin: ExecPlugin, access: ClusterAccess): Promise<Got> {
  const { apiVersion, args, env, installHint, folder, provideClusterInfo } = plugin;
  // a bare name is looked for in PATH; a path belongs to the folder of the kubeconfig
  const command = /[\\/]/.test(plugin.command) && !isAbsolute(plugin.command)
    ? join(folder, plugin.command)
    : plugin.command;
  const cannot = (why: string, cause?: unknown) =>
    new MpError("cluster_unavailable", `Cannot get credentials from "${plugin.command}": ${why}`, {
      cause,
      next: installHint?.trim() || "Run it by hand to see what is wrong",
    });
  const info = {
    apiVersion,
    kind: "ExecCredential",
    spec: {
      interactive: false,
      ...(provideClusterInfo && {
        cluster: {
          server: access.server,
          ...(access.ca !== undefined && { "certificate-authority-data": btoa(access.ca) }),
          ...(access.insecure && { "insecure-skip-tls-verify": true }),
          ...(access.serverName !== undefined && { "tls-server-name": access.serverName }),
        },
      }),
    },
  };
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, {
      args: [...args],
      env: { ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdin: "null",
    }).output();
  } catch (error) {
    throw cannot(
      error instanceof Deno.errors.NotFound ? "there is no such program" : messageOf(error),
      error,
    );
  }
  const decoder = new TextDecoder();
  if (!output.success) {
    const said = decoder.decode(output.stderr).trim().split("\n").at(-1);
    throw cannot(`it exited with ${output.code}${said ? ` (${said})` : ""}`);
  }
  let status: ExecCredential["status"];
  try {
    status = (JSON.parse(decoder.decode(output.stdout)) as ExecCredential).status;
  } catch (error) {
    throw cannot("it printed no JSON", error);
  }
  if (!status?.token && !(status?.clientCertificateData && status.clientKeyData)) {
    throw cannot("it printed neither a token nor a certificate");
  }
  const expires = Date.parse(status.expirationTimestamp ?? "");
  return {
    credentials: {
      ...(status.token && { authorization: `Bearer ${status.token}` }),
      certificate: status.clientCertificateData,
      key: status.clientKeyData,
    },
    ...(!Number.isNaN(expires) && { expires }),
  };
}
