/**
 * The image of replicas: made where it is not there yet, and never made twice.
 *
 * Its tag says what is in it, so that an unchanged script builds nothing, and a changed one a last, small layer.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { MpError } from "../../runtime/errors.ts";
import type { DriverSettings } from "../../runtime/launch/driver.ts";
import type { RunnableImage } from "./container_body.ts";
import type { Engine } from "./engine.ts";
import { EngineError } from "./engine.ts";
import type { DockerManifest } from "./manifest.ts";
import { PLACES, USER } from "./manifest.ts";
import { LABELS } from "./names.ts";
import { CACHE, digestOfEntries, type Payload, payloadFor } from "./payload.ts";
import { registryAuth } from "./registry_auth.ts";
import { scriptEntries } from "./script_files.ts";
import { type TarEntry, tarOf } from "./tar.ts";

/** How long an engine may take before it tells of its work on an image, in milliseconds. */
const PATIENCE = 600_000;

/** How images are made. */
export interface ImageOptions {
  readonly signal?: AbortSignal;
  /** Told before something is made that takes long. */
  readonly tell?: (text: string) => void;
}

/** The names of images: `[registry/][prefix/]name`. */
export function repositoryOf(name: string, { registry, imagePrefix }: DriverSettings): string {
  return [registry, imagePrefix, name].filter((part) => typeof part === "string" && part !== "")
    .map((part) => String(part).replace(/^\/+|\/+$/g, "")).join("/").replace(/\/{2,}/g, "/");
}

/**
 * The tags of an app's image, and of the one below it.
 *
 * @param files The files beside the script, as they are to lie in the image.
 */
export async function tagsOf(
  { app, bundle, settings }: Pick<DockerManifest, "app" | "bundle" | "settings">,
  payload: Payload,
  files: readonly TarEntry[],
): Promise<{ readonly app: string; readonly runtime: string }> {
  const hash = createHash("sha256")
    .update(`${payload.digest}\n${bundle.code}\n\0${bundle.map}`);
  if (files.length > 0) hash.update(`\n\0${await digestOfEntries(files)}`);
  const content = hash.digest("hex");
  return {
    app: `${repositoryOf(app, settings)}:${content.slice(0, 16)}`,
    runtime: `${repositoryOf("mp-runtime", settings)}:${payload.systemDigest.slice(0, 16)}`,
  };
}

/** What images for an engine are made of. */
export async function enginePayload(
  engine: Engine,
  { settings, version }: Pick<DockerManifest, "settings" | "version">,
  signal?: AbortSignal,
): Promise<Payload> {
  const { Os: os, Arch: arch } = await engine.json("GET", "/version", { signal });
  return await payloadFor({ os, arch }, settings, version);
}

/**
 * Makes sure that an engine has the image of a manifest, and that its registry has it when that is asked for.
 *
 * @throws {MpError} `launch_failed` when it cannot be built or pushed; `unsupported`, `engine_unavailable`.
 */
export async function ensureImage(
  engine: Engine,
  manifest: Pick<DockerManifest, "app" | "bundle" | "settings" | "version" | "files">,
  options: ImageOptions = {},
): Promise<RunnableImage> {
  const { app, bundle, settings, version } = manifest;
  const { signal, tell } = options;
  const [payload, files] = await Promise.all([
    enginePayload(engine, manifest, signal),
    scriptEntries(manifest.files),
  ]);
  const tags = await tagsOf(manifest, payload, files);
  const image = { tag: tags.app, command: payload.command };
  if (!await isThere(engine, tags.app, signal)) {
    if (!await isThere(engine, tags.runtime, signal)) {
      tell?.(`Building ${tags.runtime}, of ${payload.from ?? "what runs here"}`);
      await build(engine, {
        tag: tags.runtime,
        from: payload.from ?? "scratch",
        layers: [payload.system],
        labels: { [LABELS.kind]: "runtime", [LABELS.version]: version },
      }, options);
    }
    tell?.(`Building ${tags.app}`);
    await build(engine, {
      tag: tags.app,
      from: tags.runtime,
      layers: [payload.half, files, bundleEntries(bundle)],
      warm: payload.warm,
      labels: { [LABELS.app]: app, [LABELS.kind]: "image", [LABELS.version]: version },
    }, options);
  }
  if (settings.push === true) await push(engine, tags.app, options);
  return image;
}

/** The user's bundle as it lies in an image. */
export function bundleEntries({ code, map }: DockerManifest["bundle"]): TarEntry[] {
  return [
    { path: PLACES.bundle.slice(1), content: code },
    { path: PLACES.sourceMap.slice(1), content: map },
  ];
}

/** Whether an engine has an image. */
export async function isThere(engine: Engine, tag: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await engine.json("GET", `/images/${tag}/json`, { signal });
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return false;
    throw error;
  }
}

/** What an image is built of. */
export interface Build {
  readonly tag: string;
  /** What containers run, unless they are told otherwise. */
  readonly entrypoint?: readonly string[];
  readonly from: string;
  /** Each is a layer, the last one the topmost; empty ones are left out. */
  readonly layers: readonly (readonly TarEntry[])[];
  /** What is run once, on the first layer. */
  readonly warm?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Builds an image. @throws {MpError} `launch_failed`. */
export async function build(
  engine: Engine,
  { tag, from, layers, labels, entrypoint, warm }: Build,
  { signal }: ImageOptions,
): Promise<void> {
  const filled = layers.filter((entries) => entries.length > 0);
  // archives are unpacked with the owners that they name
  const [first, ...others] = filled.map((_, i) => `ADD layer${i}.tar /`);
  const lines = [
    `FROM ${from}`,
    first,
    ...(warm ? [`ENV DENO_DIR=${CACHE}`, `USER ${USER}`, `RUN ${JSON.stringify(warm)}`] : []),
    ...others,
    ...(entrypoint ? [`ENTRYPOINT ${JSON.stringify(entrypoint)}`] : []),
  ];
  const context: TarEntry[] = [
    { path: "Dockerfile", content: `${lines.join("\n")}\n` },
    ...filled.map((entries, i) => ({ path: `layer${i}.tar`, content: { entries } })),
  ];
  // what is run needs no network
  const own = { rm: true, forcerm: true, networkmode: "none" };
  const query = { t: tag, labels: JSON.stringify(labels), ...own };
  try {
    const reply = await engine.stream("POST", "/build", {
      query,
      tar: tarOf(context),
      signal,
      patience: PATIENCE,
    });
    await untilDone(reply);
    signal?.throwIfAborted();
  } catch (error) {
    throw signal?.aborted ? signal.reason : cannot(`build ${tag}`, error);
  }
}

/** Pushes an image to the registry in its name. @throws {MpError} `launch_failed`. */
export async function push(
  engine: Engine,
  tag: string,
  { signal, tell }: ImageOptions,
): Promise<void> {
  tell?.(`Pushing ${tag}`);
  const at = tag.lastIndexOf(":");
  try {
    const reply = await engine.stream("POST", `/images/${tag.slice(0, at)}/push`, {
      query: { tag: tag.slice(at + 1) },
      headers: { "x-registry-auth": await registryAuth(tag) },
      signal,
      patience: PATIENCE,
    });
    await untilDone(reply);
    signal?.throwIfAborted();
  } catch (error) {
    throw signal?.aborted ? signal.reason : cannot(`push ${tag}`, error);
  }
}

/** Reads what an engine tells of its work. @throws {Error} What it says went wrong. */
async function untilDone(reply: AsyncIterable<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of reply) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of [...lines, ...(isWhole(rest) ? [rest] : [])]) {
      const { error } = line.trim() === "" ? {} as { error?: string } : JSON.parse(line);
      if (error !== undefined) throw new Error(error);
    }
  }
}

function isWhole(line: string): boolean {
  try {
    return line.trim() !== "" && JSON.parse(line) !== null;
  } catch {
    return false;
  }
}

function cannot(what: string, error: unknown): unknown {
  if (error instanceof MpError) return error;
  const message = (error as Error).message;
  return new MpError("launch_failed", `Cannot ${what}: ${message}`, {
    cause: error,
    next: /no space left/i.test(message)
      ? "Make room for the engine, such as with docker system prune"
      : what.startsWith("push")
      ? "Log in with docker login, and see whether the name may be pushed (DOCKER_REGISTRY, DOCKER_IMAGE_PREFIX)"
      : undefined,
  });
}

/** Removes the images of an app, and those below them when nothing else needs them. @returns Their tags. */
export async function removeImages(
  engine: Engine,
  app: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const removed = await removeLabelled(engine, `${LABELS.app}=${app}`, signal);
  const others = await imagesWith(engine, `${LABELS.kind}=image`, signal);
  if (others.length > 0) return removed;
  return [...removed, ...await removeLabelled(engine, `${LABELS.kind}=runtime`, signal)];
}

interface ListedImage {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
}

async function imagesWith(
  engine: Engine,
  label: string,
  signal?: AbortSignal,
): Promise<readonly ListedImage[]> {
  const filters = JSON.stringify({ label: [label] });
  return await engine.json("GET", "/images/json", { query: { filters }, signal });
}

async function removeLabelled(engine: Engine, label: string, signal?: AbortSignal) {
  const removed: string[] = [];
  for (const { Id, RepoTags } of await imagesWith(engine, label, signal)) {
    const tags = (RepoTags ?? []).filter((tag) => !tag.startsWith("<none>"));
    for (const name of tags.length > 0 ? tags : [Id]) {
      try {
        await engine.json("DELETE", `/images/${name}`, { signal });
        removed.push(name);
      } catch (error) {
        // somebody else's container runs it, or another has just removed it
        if (!(error instanceof EngineError && [404, 409].includes(error.status))) throw error;
      }
    }
  }
  return removed;
}
