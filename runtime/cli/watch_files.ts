/**
 * Changes of files.
 *
 * @module
 */

import { dirname } from "node:path";

/** Editors write a file in several steps. */
const SETTLE = 80;

/**
 * Tells when any of some files has changed.
 *
 * Their folders are watched, for editors replace files rather than write into them. Changes that come
 * together, and those that come while the one before is being dealt with, are told once.
 *
 * @param files The files, absolute; asked for again after each change.
 */
export async function* watchFiles(
  files: () => readonly string[],
  signal: AbortSignal,
): AsyncIterable<void> {
  let watched = "";
  let watcher: Deno.FsWatcher | undefined;
  let changed = Promise.withResolvers<void>();
  const onAbort = () => changed.resolve();
  signal.addEventListener("abort", onAbort);
  const watch = () => {
    const folders = [...new Set(files().map(dirname))].sort();
    if (folders.join("\0") === watched) return;
    watcher?.close();
    watched = folders.join("\0");
    watcher = Deno.watchFs(folders, { recursive: false });
    tell(watcher, files, () => changed.resolve());
  };
  try {
    while (!signal.aborted) {
      watch();
      await changed.promise;
      if (signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, SETTLE));
      changed = Promise.withResolvers();
      if (signal.aborted) return;
      yield;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    watcher?.close();
  }
}

async function tell(
  watcher: Deno.FsWatcher,
  files: () => readonly string[],
  onChange: () => void,
): Promise<void> {
  for await (const { kind, paths } of watcher) {
    if (kind === "access" || kind === "other") continue;
    const known = new Set(files());
    if (paths.some((path) => known.has(path))) onChange();
  }
}
