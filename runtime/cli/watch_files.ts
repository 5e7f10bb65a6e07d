/**
 * Changes of files.
 *
 * @module
 */

import { dirname } from "node:path";

/** Editors write a file in several steps. */
const SETTLE = 80;

/**
 * Tells when any of some files has changed, from the call on.
 *
 * Their folders are watched, for editors replace files rather than write into them. Changes that come
 * together, and those that come while the one before is being dealt with, are told once.
 *
 * @param files The files, absolute; asked for again after each change.
 * @throws What the system has against watching them.
 */
export function watchFiles(
  files: () => readonly string[],
  signal: AbortSignal,
): AsyncIterable<void> {
  let watched = "";
  let watcher: Deno.FsWatcher | undefined;
  let changed = Promise.withResolvers<void>();
  const watch = () => {
    const folders = [...new Set(files().map(dirname))].sort();
    if (folders.join("\0") === watched) return;
    watcher?.close();
    watched = folders.join("\0");
    watcher = Deno.watchFs(folders, { recursive: false });
    tell(watcher, files, () => changed.resolve());
  };
  watch();
  const onAbort = () => {
    changed.resolve();
    watcher?.close();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return (async function* () {
    for (;;) {
      await changed.promise;
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, SETTLE));
      if (signal.aborted) return;
      changed = Promise.withResolvers();
      yield;
      if (signal.aborted) return;
      watch();
    }
  })();
}

async function tell(
  watcher: Deno.FsWatcher,
  files: () => readonly string[],
  onChange: () => void,
): Promise<void> {
  for await (const event of watcher) if (concerns(event, files())) onChange();
}

/** Whether an event of a folder is a change of one of the files. */
export function concerns(
  { kind, paths }: Pick<Deno.FsEvent, "kind" | "paths">,
  files: readonly string[],
): boolean {
  return kind !== "access" && kind !== "other" && paths.some((path) => files.includes(path));
}
