/**
 * A compose file that runs the same topology without `mp`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { MpError } from "../../runtime/errors.ts";
import type { ExportedFile } from "../../runtime/launch/driver.ts";
import { CONTAINER_ENV, HEALTH, type RunnableImage } from "./container_body.ts";
import type { Engine } from "./engine.ts";
import { enginePayload, ensureImage, tagsOf } from "./image.ts";
import { type ContainerSpec, type DockerManifest, PLACES, USER } from "./manifest.ts";
import { payloadFor } from "./payload.ts";
import { scriptEntries } from "./script_files.ts";
import { DATA_FOLDER } from "./storage_for_containers.ts";

/**
 * The compose file of a manifest. Its image is made, where there is an engine to make it.
 *
 * @throws {MpError} When the image cannot be made though there is an engine, or can be of nothing.
 */
export async function composeFiles(
  manifest: DockerManifest,
  engine: Engine,
): Promise<readonly ExportedFile[]> {
  return [{ path: "compose.yaml", text: composeText(manifest, await imageOf(manifest, engine)) }];
}

async function imageOf(manifest: DockerManifest, engine: Engine): Promise<RunnableImage> {
  try {
    await enginePayload(engine, manifest);
  } catch (error) {
    if (!(error instanceof MpError && error.code === "engine_unavailable")) throw error;
    // its name is known without an engine of this machine's own kind
    const arch = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
    const payload = await payloadFor({ os: "linux", arch }, manifest.settings, manifest.version);
    const { app } = await tagsOf(manifest, payload, await scriptEntries(manifest.files));
    return { tag: app, command: payload.command };
  }
  return await ensureImage(engine, manifest);
}

/** The text of a compose file. Pure. */
export function composeText(manifest: DockerManifest, image: RunnableImage): string {
  const { app, book, containers, dataVolume } = manifest;
  // who knows the bundle's text could as well run it
  const secret = createHash("sha256").update(`${app}\n${manifest.bundle.code}`).digest("hex");
  const shared = sharedEnv(containers);
  const usersFile = manifest.usersFile;
  const document = {
    "x-environment": new Anchor("environment", {
      ...CONTAINER_ENV,
      ...shared,
      MP_BOOK_JSON: JSON.stringify(book),
      MP_SECRET: secret,
    }),
    "x-replica": new Anchor("replica", {
      image: image.tag,
      command: image.command,
      user: `${USER}:${USER}`,
      working_dir: PLACES.app,
      read_only: true,
      tmpfs: ["/tmp"],
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges"],
      init: true,
      restart: "unless-stopped",
      stop_grace_period: "11s",
      extra_hosts: ["host.docker.internal:host-gateway"],
      healthcheck: {
        test: ["CMD", ...image.command, "probe"],
        interval: `${HEALTH.interval}s`,
        timeout: `${HEALTH.timeout}s`,
        start_period: `${HEALTH.startPeriod}s`,
        retries: HEALTH.retries,
      },
      volumes: [
        ...(dataVolume ? [`data:${DATA_FOLDER}`] : []),
        ...(usersFile === undefined ? [] : [`${usersFile}:${PLACES.users}:ro`]),
      ],
    }),
    services: Object.fromEntries(
      containers.map((spec) => [`${spec.path}.${spec.index}`, service(spec, shared)]),
    ),
    networks: { default: { driver: "bridge" } },
    ...(dataVolume && { volumes: { data: {} } }),
  };
  return [
    `# ${app}, revision ${manifest.revision}, made by mp ${manifest.version}.`,
    `# Its image is ${image.tag}, which mp export makes, and --push hands to a registry.`,
    yaml(document),
  ].join("\n");
}

/** Variables of the address book and the secret, which are files elsewhere. */
const FILES: readonly string[] = ["MP_BOOK", "MP_SECRET_FILE"];

/** What all replicas have in their environment. */
function sharedEnv(containers: readonly ContainerSpec[]): Record<string, string> {
  const [first] = containers;
  return Object.fromEntries(
    Object.entries(first?.env ?? {}).filter(([name, value]) =>
      !FILES.includes(name) && containers.every(({ env }) => env[name] === value)
    ),
  );
}

function service(spec: ContainerSpec, shared: Readonly<Record<string, string>>) {
  const { name, host, env, ports, resources: { cpu, memory } } = spec;
  const own = Object.entries(env)
    .filter(([name]) => !FILES.includes(name) && !Object.hasOwn(shared, name));
  return {
    "<<": new Alias("replica"),
    container_name: name,
    environment: { "<<": new Alias("environment"), ...Object.fromEntries(own) },
    networks: { default: { aliases: [host] } },
    ...(ports.length > 0 && {
      ports: ports.map(({ inside, host, port }) =>
        `${host.includes(":") ? `[${host}]` : host}:${port}:${inside}`
      ),
    }),
    ...(memory !== undefined && { mem_limit: `${memory}m` }),
    ...(cpu !== undefined && { cpus: cpu }),
  };
}

/** A map that others refer to. */
class Anchor {
  constructor(readonly name: string, readonly value: object) {}
}

/** What another map holds. */
class Alias {
  constructor(readonly name: string) {}
}

/** Data as YAML: maps over several lines, lists in one, all texts in double quotes. */
function yaml(value: object, indent = ""): string {
  const lines: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    const key = /^([a-z][\w-]*|<<)$/i.test(name) ? name : JSON.stringify(name);
    const anchor = member instanceof Anchor ? ` &${member.name}` : "";
    const inner = member instanceof Anchor ? member.value : member;
    if (inner instanceof Alias) lines.push(`${indent}${key}: *${inner.name}`);
    else if (isMap(inner)) lines.push(`${indent}${key}:${anchor}`, yaml(inner, `${indent}  `));
    else lines.push(`${indent}${key}: ${escaped(JSON.stringify(inner))}`);
  }
  return lines.join("\n") + (indent === "" ? "\n" : "");
}

function isMap(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.keys(value).length > 0;
}

/** Compose replaces `$NAME`. */
function escaped(text: string): string {
  return text.replaceAll("$", "$$$$");
}
