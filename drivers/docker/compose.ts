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
    return { tag: tagsOf(manifest, payload).app, command: payload.command };
  }
  return await ensureImage(engine, manifest);
}

/** The text of a compose file. Pure. */
export function composeText(manifest: DockerManifest, image: RunnableImage): string {
  const { app, book, containers, dataVolume } = manifest;
  // who knows the bundle's text could as well run it
  const secret = createHash("sha256").update(`${app}\n${manifest.bundle.code}`).digest("hex");
  const document = {
    name: app,
    services: Object.fromEntries(
      containers.map((spec) => [
        `${spec.path}.${spec.index}`,
        service(manifest, spec, image, { book: JSON.stringify(book), secret }),
      ]),
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

function service(
  { dataVolume }: DockerManifest,
  spec: ContainerSpec,
  image: RunnableImage,
  { book, secret }: { readonly book: string; readonly secret: string },
) {
  const { name, host, env, labels, ports, resources: { cpu, memory }, volumes } = spec;
  const { MP_BOOK: _, MP_SECRET_FILE: __, MP_AUTH_USERS: users, ...rest } = env;
  const data = Object.keys(volumes).find((path) => path !== PLACES.run);
  return {
    image: image.tag,
    container_name: name,
    command: image.command,
    environment: mapValues({
      ...CONTAINER_ENV,
      ...rest,
      MP_BOOK_JSON: book,
      MP_SECRET: secret,
      ...(users !== undefined && { MP_AUTH_USERS: users }),
    }, escaped),
    labels: mapValues(labels, escaped),
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
    networks: { default: { aliases: [host] } },
    ...(ports.length > 0 && {
      ports: ports.map(({ inside, host, port }) =>
        `${host.includes(":") ? `[${host}]` : host}:${port}:${inside}`
      ),
    }),
    ...(dataVolume && data && { volumes: [`data:${data}`] }),
    ...(users !== undefined && { configs: undefined }),
    ...(memory !== undefined && { mem_limit: `${memory}m` }),
    ...(cpu !== undefined && { cpus: cpu }),
  };
}

/** Compose replaces `$NAME`. */
function escaped(text: string): string {
  return text.replaceAll("$", "$$$$");
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/** Data as YAML: maps over several lines, lists of texts in one, all texts in double quotes. */
function yaml(value: unknown, indent = ""): string {
  const lines: string[] = [];
  for (const [name, member] of Object.entries(value as Record<string, unknown>)) {
    if (member === undefined) continue;
    const key = /^[a-z][a-z_]*$/i.test(name) ? name : JSON.stringify(name);
    const isMap = typeof member === "object" && member !== null && !Array.isArray(member);
    if (isMap && Object.keys(member).length > 0) {
      lines.push(`${indent}${key}:`, yaml(member, `${indent}  `).trimEnd());
    } else lines.push(`${indent}${key}: ${JSON.stringify(member)}`);
  }
  return `${lines.join("\n")}\n`;
}
