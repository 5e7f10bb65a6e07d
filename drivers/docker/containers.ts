/**
 * Single requests about containers.
 *
 * @module
 */

import type { Sighting } from "../../runtime/replica/probe.ts";
import { containerBody, type RunnableImage } from "./container_body.ts";
import { type Engine, EngineError, PATIENCE } from "./engine.ts";
import { framesOf, type TimedLine, timedLines } from "./frames.ts";
import type { ContainerSpec, DockerManifest } from "./manifest.ts";
import { labelled, withLabels } from "./names.ts";
import { filesOf, tarBytes, type TarEntry } from "./tar.ts";

/** What `GET /containers/json` says of one. */
export interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  /** `created`, `running`, `restarting`, `exited`, `paused`, `dead`. */
  readonly State: string;
}

/** What `GET /containers/{id}/json` says, as far as it is looked at. */
export interface InspectedContainer {
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Restarting: boolean;
    readonly OOMKilled: boolean;
    readonly ExitCode: number;
    readonly StartedAt: string;
  };
  readonly RestartCount: number;
  readonly Config: { readonly Cmd: readonly string[]; readonly Image: string };
}

/** How containers are created. */
export interface CreateOptions {
  readonly name: string;
  readonly image: RunnableImage;
  readonly grace: number;
  readonly signal?: AbortSignal;
}

/** The containers with labels, whatever their state. */
export async function listContainers(
  engine: Engine,
  labels: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<readonly ListedContainer[]> {
  const query = { all: true, filters: withLabels(labels) };
  return labelled(await engine.json("GET", "/containers/json", { query, signal }), labels);
}

/** Creates a container. @returns Its id. */
export async function createContainer(
  engine: Engine,
  manifest: Pick<DockerManifest, "network">,
  spec: ContainerSpec,
  { name, image, grace, signal }: CreateOptions,
): Promise<string> {
  const create = (init: boolean) =>
    engine.json("POST", "/containers/create", {
      query: { name },
      body: containerBody(manifest, spec, { image, grace, init }),
      signal,
    });
  try {
    return (await create(true)).Id;
  } catch (error) {
    // not every engine has an init at hand; replicas do without
    if (
      !(error instanceof EngineError &&
        /init.*(not found|no such)|no such.*init/i.test(error.message))
    ) {
      throw error;
    }
    return (await create(false)).Id;
  }
}

/** Starts a container; one that runs stays as it is. */
export async function startContainer(engine: Engine, id: string, signal?: AbortSignal) {
  await engine.json("POST", `/containers/${id}/start`, { signal });
}

/** Lets a container end by itself, and kills it when it does not in time. One that is gone is well. */
export async function stopContainer(
  engine: Engine,
  id: string,
  grace: number,
  signal?: AbortSignal,
) {
  const query = { t: Math.ceil(grace / 1000) + 1 };
  const patience = grace + PATIENCE;
  await unlessGone(engine.json("POST", `/containers/${id}/stop`, { query, patience, signal }));
}

/** Removes a container, whatever it does. One that is gone is well. */
export async function removeContainer(engine: Engine, id: string, signal?: AbortSignal) {
  const query = { force: true, v: true };
  await unlessGone(engine.json("DELETE", `/containers/${id}`, { query, signal }));
}

/** Gives a container another name, unless that is somebody's already; a name is no reason to fail. */
export async function renameContainer(
  engine: Engine,
  id: string,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await engine.json("POST", `/containers/${id}/rename`, { query: { name }, signal });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
  }
}

/** Runs a program in a container, to its end. @returns Its exit status. */
export async function runIn(
  engine: Engine,
  id: string,
  { command, env, signal }: {
    readonly command: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  },
): Promise<number> {
  const { Id } = await engine.json("POST", `/containers/${id}/exec`, {
    body: {
      AttachStdout: true,
      Cmd: command,
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    },
    signal,
  });
  const output = await engine.stream("POST", `/exec/${Id}/start`, {
    body: { Detach: false, Tty: false },
    signal,
  });
  for await (const _ of output);
  return (await engine.json("GET", `/exec/${Id}/json`, { signal })).ExitCode;
}

export async function inspectContainer(engine: Engine, id: string): Promise<InspectedContainer> {
  return await engine.json("GET", `/containers/${id}/json`);
}

/** Waits for something that is to be away; that it is away already, or just goes, is well. */
export async function unlessGone(done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    const gone = error instanceof EngineError &&
      (error.status === 404 || error.status === 304 || /already in progress/.test(error.message));
    if (!gone) throw error;
  }
}

/** Puts files into a folder of a container, which may stand still. */
export async function putFiles(
  engine: Engine,
  id: string,
  path: string,
  entries: readonly TarEntry[],
  signal?: AbortSignal,
): Promise<void> {
  const tar = await tarBytes(entries);
  await engine.json("PUT", `/containers/${id}/archive`, { query: { path }, tar, signal });
}

/** The files in a folder of a container, or the one at a path, by name. */
export async function getFiles(
  engine: Engine,
  id: string,
  path: string,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const pieces: Uint8Array[] = [];
  const query = { path };
  const tar = await engine.stream("GET", `/containers/${id}/archive`, { query, signal });
  for await (const piece of tar) pieces.push(piece);
  const archive = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  return new Map(
    Array.from(filesOf(archive), ([name, text]) => [name.slice(name.lastIndexOf("/") + 1), text]),
  );
}

/** What a container wrote. */
export async function* containerLines(
  engine: Engine,
  id: string,
  { follow, tail, since, signal }: {
    readonly follow: boolean;
    readonly tail?: number;
    /** In nanoseconds since the epoch. */
    readonly since?: bigint;
    readonly signal?: AbortSignal;
  },
): AsyncGenerator<TimedLine> {
  const pieces = await engine.stream("GET", `/containers/${id}/logs`, {
    query: {
      follow,
      stdout: true,
      stderr: true,
      timestamps: true,
      tail: tail ?? "all",
      ...(since !== undefined && { since: seconds(since) }),
    },
    signal,
  });
  yield* timedLines(framesOf(pieces));
}

function seconds(nanoseconds: bigint): string {
  const text = nanoseconds.toString().padStart(10, "0");
  return `${text.slice(0, -9)}.${text.slice(-9)}`;
}

/**
 * Looks at all replicas of a tree from within one of its containers, which is where they can be reached.
 *
 * @param milliseconds How long to wait for those that are not ready.
 */
export async function* lookFrom(
  engine: Engine,
  id: string,
  command: readonly string[],
  { milliseconds, signal }: { readonly milliseconds: number; readonly signal?: AbortSignal },
): AsyncGenerator<Sighting> {
  const { Id } = await engine.json("POST", `/containers/${id}/exec`, {
    body: {
      AttachStdout: true,
      AttachStderr: true,
      Cmd: [...command, "probe"],
      Env: ["MP_PROBE=tree", `MP_PROBE_FOR=${milliseconds}`],
    },
    signal,
  });
  const pieces = await engine.stream("POST", `/exec/${Id}/start`, {
    body: { Detach: false, Tty: false },
    signal,
  });
  const decoder = new TextDecoder();
  let rest = "";
  for await (const { stream, bytes } of framesOf(pieces)) {
    if (stream === "stderr") continue;
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith("{")) yield JSON.parse(line) as Sighting;
  }
}
