/**
 * Where the container engine is: `DOCKER_HOST`, Docker's current context, or the socket of Docker or Podman.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { messageOf, MpError } from "../../runtime/errors.ts";

/** Where an engine is, and how it is spoken to. */
export interface EngineAddress {
  /** A Unix socket. */
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
  /** Files in PEM, for TLS. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** How people call it. */
  readonly shown: string;
  /** What chose it: `DOCKER_HOST`, `the context "x"`, … */
  readonly chosenBy: string;
}

/** Reads a variable of the environment; an empty one counts as absent. */
type Env = (name: string) => string | undefined;

/**
 * Finds the engine's address.
 *
 * @throws {MpError} `engine_unavailable` for an address of a kind that is not known, or TLS files that cannot be read.
 */
export function engineAddress(env: Env): EngineAddress {
  const host = env("DOCKER_HOST");
  if (host !== undefined) {
    return parseHost(
      host,
      "DOCKER_HOST",
      env("DOCKER_TLS_VERIFY") ? env("DOCKER_CERT_PATH") : undefined,
    );
  }
  // what Docker Desktop opens on Windows is a pipe, which Deno has no way to speak over
  if (Deno.build.os === "windows") {
    return parseHost("tcp://127.0.0.1:2375", "the default", undefined);
  }
  return ofContext(env) ?? socketAddress(firstSocket(env), "the default");
}

function ofContext(env: Env): EngineAddress | undefined {
  const home = env("HOME") ?? env("USERPROFILE");
  const folder = env("DOCKER_CONFIG") ?? (home && join(home, ".docker"));
  if (folder === undefined) return undefined;
  const context = env("DOCKER_CONTEXT") ?? readJson(join(folder, "config.json"))?.currentContext;
  if (typeof context !== "string" || context === "default" || context === "") return undefined;
  const id = createHash("sha256").update(context).digest("hex");
  const meta = readJson(join(folder, "contexts", "meta", id, "meta.json"));
  const host = meta?.Endpoints?.docker?.Host;
  if (typeof host !== "string") {
    throw new MpError(
      "engine_unavailable",
      `Cannot use Docker's context "${context}": there is none`,
      {
        next: "Choose another with docker context use, or set DOCKER_HOST",
      },
    );
  }
  const tls = join(folder, "contexts", "tls", id, "docker");
  return parseHost(host, `the context "${context}"`, isFolder(tls) ? tls : undefined);
}

/** An address as Docker writes it: `unix:///var/run/docker.sock`, `tcp://10.0.0.7:2376`. */
function parseHost(
  host: string,
  chosenBy: string,
  certificates: string | undefined,
): EngineAddress {
  const match = /^(unix|tcp|http|https):\/\/(.*)$/.exec(host);
  if (!match) {
    const ssh = host.startsWith("ssh://");
    throw new MpError(
      "engine_unavailable",
      `Cannot reach a container engine: ${chosenBy} is ${JSON.stringify(host)}`,
      {
        next: ssh
          ? "Forward its socket, ssh -L /tmp/engine.sock:/var/run/docker.sock HOST, and set DOCKER_HOST=unix:///tmp/engine.sock"
          : "Set DOCKER_HOST to an address such as unix:///var/run/docker.sock or tcp://10.0.0.7:2376",
      },
    );
  }
  const [scheme, rest] = [match[1]!, match[2]!];
  if (scheme === "unix") return socketAddress(rest, chosenBy);
  const url = new URL(`http://${rest}`);
  const secure = certificates !== undefined || scheme === "https";
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port || (secure ? 2376 : 2375)),
    ...(certificates !== undefined && { tls: readCertificates(certificates) }),
    shown: host,
    chosenBy,
  };
}

function readCertificates(folder: string): NonNullable<EngineAddress["tls"]> {
  try {
    const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"]
      .map((name) => Deno.readTextFileSync(join(folder, name))) as [string, string, string];
    return { ca, cert, key };
  } catch (error) {
    throw new MpError(
      "engine_unavailable",
      `Cannot read the engine's certificates in "${folder}": ${messageOf(error)}`,
      {
        cause: error,
        next: "Set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem",
      },
    );
  }
}

function socketAddress(socketPath: string, chosenBy: string): EngineAddress {
  return { socketPath, shown: socketPath, chosenBy };
}

/** The first socket that is there, of Docker and then of Podman; Docker's when none is. */
function firstSocket(env: Env): string {
  const home = env("HOME");
  const runtime = env("XDG_RUNTIME_DIR");
  const usual = "/var/run/docker.sock";
  const places = [
    usual,
    ...(home ? [join(home, ".docker/run/docker.sock")] : []),
    ...(runtime ? [join(runtime, "docker.sock"), join(runtime, "podman/podman.sock")] : []),
    "/run/podman/podman.sock",
  ];
  return places.find(isThere) ?? usual;
}

/** Whether anything is where the engine's socket should be; a cheap way to know that there is none. */
export function mayAnswer({ socketPath }: EngineAddress): boolean {
  return socketPath === undefined || isThere(socketPath);
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    // a socket in a folder that may not be entered is there
    return error instanceof Deno.errors.PermissionDenied;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Files of Docker, as far as they are looked at. */
interface DockerFile {
  readonly currentContext?: unknown;
  readonly Endpoints?: { readonly docker?: { readonly Host?: unknown } };
}

function readJson(path: string): DockerFile | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch {
    return undefined;
  }
}
