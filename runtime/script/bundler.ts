/**
 * The one esbuild service of this process: started when it is first needed, kept for the next build,
 * and stopped when nobody builds any more.
 *
 * @module
 */

import type * as esbuild from "esbuild";

/** What is used of esbuild. */
export type Esbuild = typeof esbuild;

let loading: Promise<Esbuild> | undefined;
let users = 0;
let stopWhenIdle = false;

/** Lends esbuild to `use`; {@linkcode stopBundler} waits for it. */
export async function withBundler<T>(use: (esbuild: Esbuild) => Promise<T>): Promise<T> {
  users++;
  stopWhenIdle = false;
  try {
    return await use(await (loading ??= import("esbuild")));
  } finally {
    users--;
    if (users === 0 && stopWhenIdle) await stopService();
  }
}

/** Starts the service, so that the first build need not wait for it. */
export async function warmUpBundler(): Promise<void> {
  await withBundler(async (esbuild) => void await esbuild.transform(""));
}

/**
 * Stops the service when no build is under way, or else after the last one; it is a process of its own
 * that takes memory. The next build starts it again.
 */
export async function stopBundler(): Promise<void> {
  stopWhenIdle = true;
  if (users === 0) await stopService();
}

async function stopService(): Promise<void> {
  if (loading === undefined) return;
  const esbuild = await loading;
  if (users === 0) await esbuild.stop();
}
