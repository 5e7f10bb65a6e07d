/**
 * Reads what replicas wrote, all replicas together in the order of time.
 *
 * @module
 */

import type { LogLine, LogOptions, ReplicaId } from "./driver.ts";
import { parseLogFile } from "./log_files.ts";
import { openReplicaLog, type ReplicaLog } from "./replica_log.ts";

/**
 * Reads the logs in a folder. A folder that is not there holds none.
 *
 * @param folder As in `LaunchOptions.logs`.
 */
export async function* readLogs(
  folder: string,
  options: LogOptions = {},
): AsyncGenerator<LogLine, void, void> {
  const { replica = () => true, tail = Infinity, since = -Infinity, follow, signal } = options;
  const logs = new Map<string, ReplicaLog>();
  const open = async (id: ReplicaId): Promise<ReplicaLog> => {
    const key = `${id.path}.${id.index}`;
    const known = logs.get(key);
    if (known) return known;
    const log = await openReplicaLog(folder, id);
    logs.set(key, log);
    return log;
  };
  if (signal?.aborted) return;
  // the watch begins before the reading, so that nothing is missed in between
  const watcher = follow ? watch(folder) : undefined;
  const stop = () => watcher?.close();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for (const id of await listReplicas(folder)) if (replica(id)) await open(id);
    const histories = [...logs.values()].map((log) => log.history({ tail, since }));
    for await (const line of mergeByTime(histories)) {
      if (signal?.aborted) return;
      yield line;
    }
    for await (const { paths } of watcher ?? []) {
      const lines: LogLine[] = [];
      for (const path of new Set(paths)) {
        const id = parseLogFile(path.slice(path.lastIndexOf("/") + 1).replace(/^.*\\/, ""));
        if (!id || id.age > 0 || !replica(id)) continue;
        for (const line of await (await open(id)).more()) if (line.time >= since) lines.push(line);
      }
      lines.sort((a, b) => a.time - b.time);
      for (const line of lines) {
        if (signal?.aborted) return;
        yield line;
      }
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    try {
      watcher?.close();
    } catch {
      // the signal closed it
    }
    for (const log of logs.values()) log.close();
  }
}

function watch(folder: string): Deno.FsWatcher | undefined {
  try {
    return Deno.watchFs(folder, { recursive: false });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The replicas that have logs in a folder. */
async function listReplicas(folder: string): Promise<ReplicaId[]> {
  const found = new Map<string, ReplicaId>();
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      const id = isFile && parseLogFile(name);
      if (id) found.set(`${id.path}.${id.index}`, { path: id.path, index: id.index });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return [...found.values()];
}

/** Merges what is in order each; of lines of the same time, those of the source named first come first. */
async function* mergeByTime(
  sources: AsyncIterator<LogLine[]>[],
): AsyncGenerator<LogLine, void, void> {
  const heads: { batch: LogLine[]; next: number; source: AsyncIterator<LogLine[]> }[] = [];
  for (const source of sources) {
    const { value, done } = await source.next();
    if (!done) heads.push({ batch: value, next: 0, source });
  }
  while (heads.length > 0) {
    let first = heads[0]!;
    for (const head of heads) {
      if (head.batch[head.next]!.time < first.batch[first.next]!.time) first = head;
    }
    yield first.batch[first.next++]!;
    if (first.next < first.batch.length) continue;
    const { value, done } = await first.source.next();
    if (done) heads.splice(heads.indexOf(first), 1);
    else [first.batch, first.next] = [value, 0];
  }
}
