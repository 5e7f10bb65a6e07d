/**
 * The one esbuild service of this process: started when it is first needed, kept for the next build,
 * and stopped when nobody builds any more.
 *
 * @module
 */

import childProcess, { type ChildProcess } from "node:child_process";
import type * as esbuild from "esbuild";
import { embedded } from "../embedded.ts";
import { MpError } from "../errors.ts";
import { madeOf } from "../own_files.ts";

/** What is used of esbuild. */
export type Esbuild = Omit<typeof esbuild, "default">;

let service: Promise<Esbuild> | undefined;
let users = 0;
/** Set while somebody wants the service stopped that still has work to do. */
let idle: PromiseWithResolvers<void> | undefined;
/** The service's process. */
let child: ChildProcess | undefined;

/** Lends esbuild to `use`; {@linkcode stopBundler} waits for it. */
export async function withBundler<T>(use: (esbuild: Esbuild) => Promise<T>): Promise<T> {
  users++;
  try {
    return await use(await (service ??= startService()));
  } finally {
    users--;
    if (users === 0) {
      idle?.resolve();
      idle = undefined;
    }
  }
}

/**
 * Starts the service, so that the first build need not wait for it.
 *
 * @returns What runs.
 */
export async function warmUpBundler(): Promise<{ readonly version: string }> {
  return await withBundler(async (esbuild) => {
    await esbuild.transform("");
    return { version: esbuild.version };
  });
}

/** The native program of the service that runs. */
export function bundlerProgram(): string | undefined {
  return child?.spawnfile;
}

/**
 * Stops the service, after the builds that are under way; it is a process of its own that takes memory.
 * The next build starts it again.
 */
export async function stopBundler(): Promise<void> {
  if (users > 0) await (idle ??= Promise.withResolvers<void>()).promise;
  if (users > 0 || service === undefined) return;
  const { stop } = await service;
  const process = child;
  service = child = undefined;
  // esbuild itself does not wait for its end
  const ended = process?.exitCode === null && process.signalCode === null
    ? new Promise<void>((resolve) => process.once("exit", () => resolve()))
    : undefined;
  process?.ref();
  await stop();
  await ended;
}

async function startService(): Promise<Esbuild> {
  const esbuild = await importEsbuild();
  const { spawn } = childProcess;
  try {
    // the only way to learn of the process that esbuild starts, which it does in this call
    childProcess.spawn = ((...args: Parameters<typeof spawn>) =>
      child = spawn(...args)) as typeof spawn;
    esbuild.initialize({});
  } finally {
    childProcess.spawn = spawn;
  }
  const started = child;
  started?.once("exit", () => {
    if (child !== started) return;
    // it was killed by somebody else; esbuild would go on talking to it
    service = child = undefined;
    esbuild.stop();
  });
  return esbuild;
}

async function loadLibrary(): Promise<Esbuild> {
  return (await import("./esbuild_library.ts")).esbuild;
}

/** Where esbuild takes its native program from, unless it lies in a package beside it. */
const PATH_VARIABLE = "ESBUILD_BINARY_PATH";

async function importEsbuild(): Promise<Esbuild> {
  const description = embedded();
  if (description === undefined) return await ofSource();
  const { nativeEsbuild } = await import("./native_esbuild.ts");
  const { esbuild } = description;
  let program: string;
  try {
    program = await nativeEsbuild({ embedded: esbuild });
  } catch (error) {
    // a package holds no program, and another machine than the one that wrote it out has none in its cache
    if (!Deno.build.standalone) return await downloaded(esbuild.version, error);
    throw error;
  }
  return await loadLibraryFor(program);
}

/** esbuild from Deno's cache of packages, which has its native program; a bundle only knows where that was. */
async function ofSource(): Promise<Esbuild> {
  if (madeOf === undefined) return await loadLibrary();
  const there = await Deno.stat(madeOf.esbuild).then(({ isFile }) => isFile, () => false);
  if (there) return await loadLibraryFor(madeOf.esbuild);
  const { version } = await loadLibrary();
  return await downloaded(version, new Error(`"${madeOf.esbuild}" is gone`));
}

/** @param program The native program; nothing where it lies in a package beside the library. */
async function loadLibraryFor(program: string | undefined): Promise<Esbuild> {
  if (program === undefined) return await loadLibrary();
  // it looks once, when it is loaded; scripts and replicas inherit what the user has set
  const users = Deno.env.get(PATH_VARIABLE);
  Deno.env.set(PATH_VARIABLE, program);
  try {
    return await loadLibrary();
  } finally {
    if (users === undefined) Deno.env.delete(PATH_VARIABLE);
    else Deno.env.set(PATH_VARIABLE, users);
  }
}

/** esbuild from npm, by Deno. The import is computed, for it is no part of a bundle. */
async function downloaded(version: string, cause: unknown): Promise<Esbuild> {
  const specifier = `npm:esbuild@${version}`;
  try {
    return await import(specifier);
  } catch {
    throw new MpError("launch_failed", `Cannot bundle scripts: ${specifier} cannot be had`, {
      cause,
      next: "Run mp doctor, which writes out the one that mp holds",
    });
  }
}
