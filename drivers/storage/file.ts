/**
 * The storage `file`: an SQLite database on this machine, shared by all its processes.
 *
 * @module
 */

import { dirname } from "node:path";
import { messageOf, MpError } from "../../runtime/errors.ts";
import type {
  Backend,
  BackendOptions,
  EncodedCommit,
  EncodedEntry,
  KeyRange,
  Verdict,
} from "../../runtime/storage/backend.ts";
import { createStorage } from "../../runtime/storage/create_storage.ts";
import { encodeNamespace, keyAfter } from "../../runtime/storage/key.ts";
import { DEFAULT_RETENTION } from "../../runtime/storage/record.ts";
import type { Storage } from "../../runtime/storage/storage.ts";
import { storageFault } from "../../runtime/storage/storage_fault.ts";
import { networkFileSystem } from "./network_file_system.ts";
import { isBusy, sqliteFault } from "./sqlite_fault.ts";
import { CommitFailure, openRecords, type SqliteRecords } from "./sqlite_records.ts";
import { commitQueue } from "./commit_queue.ts";

// imported, each of its names is looked at, and Deno loads the streams behind some: a third of a start
const { mkdirSync, readFileSync, realpathSync, statSync } = process.getBuiltinModule("node:fs");

/** How many entries are read at once. */
const PAGE = 256;

/** How a file storage is opened. */
export interface FileStorageOptions extends BackendOptions {
  /** The file; it and its folder are made when they are not there. */
  readonly path: string;
  /** The clock, in milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
  /** The text of `/proc/mounts`. Default: what it is. */
  readonly mounts?: () => string;
}

/**
 * Opens a file as a storage, at the first call.
 *
 * Calls never wait for the lock of another process with this one blocked; while one writes to the disk it is. All commits
 * that are waiting share one write.
 */
export function fileStorage(options: FileStorageOptions): Storage {
  return createStorage(fileBackend(options));
}

function fileBackend(options: FileStorageOptions): Backend {
  const { path } = options;
  const prefix = `${encodeNamespace(options.namespace)}:`;
  const file = openFile(options);
  const attempt = <T>(action: (records: SqliteRecords) => T): T => {
    try {
      return action(file.records());
    } catch (error) {
      if (isBusy(error)) throw error;
      const fault = sqliteFault(error, path, error instanceof CommitFailure);
      // another look at the file next time, which may then be a good one
      if (fault.reason !== "full") file.close();
      throw fault;
    }
  };
  const queue = commitQueue({
    run: (batch) => attempt((records) => records.write(batch, prefix)),
    isBusy,
    giveUp: (cause) => sqliteFault(cause, path),
    closed: () => storageFault("closed", `Cannot use "${path}": the storage is closed`),
  });
  return {
    name: "file",
    commit: (batch: readonly EncodedCommit[], signal): Promise<Verdict[]> =>
      batch.every(({ writes }) => writes.length === 0)
        ? queue.retry(() => attempt((records) => records.judge(batch, prefix)), signal)
        : queue.add(batch, signal),
    async *scan({ from, before }, signal) {
      for (let next: string | undefined = from; next !== undefined;) {
        const range: KeyRange = { from: next, before, limit: PAGE };
        const page = await queue.retry(
          () => attempt((records) => records.page(range, prefix)),
          signal,
        );
        yield page;
        const last: EncodedEntry | undefined = page.at(-1);
        next = last && keyAfter(last.key);
      }
    },
    async close() {
      await queue.close();
      file.close();
    },
  };
}

/** The database of a file, opened when it is needed and again when the file is another. */
function openFile(
  { path, now = Date.now, retention = DEFAULT_RETENTION, ...options }: FileStorageOptions,
) {
  let open: { readonly records: SqliteRecords; readonly identity: string } | undefined;
  function close() {
    const closing = open;
    open = undefined;
    closing?.records.close();
  }
  return {
    records(): SqliteRecords {
      if (open !== undefined && identityOf(path) !== open.identity) {
        options.onWarning?.(`"${path}" was removed or replaced while it was in use`);
        close();
      }
      if (open === undefined) {
        prepareFolder(path, options.mounts ?? readMounts);
        const records = openRecords(path, { now, retention });
        open = { records, identity: identityOf(path)! };
      }
      return open.records;
    },
    close,
  };
}

function prepareFolder(path: string, mounts: () => string): void {
  const folder = dirname(path);
  let real: string;
  try {
    mkdirSync(folder, { recursive: true });
    real = realpathSync(folder);
  } catch (error) {
    throw storageFault("refused", `Cannot make the folder "${folder}": ${messageOf(error)}`, {
      cause: error,
      next: "Make it writable for this user, or choose another file with --storage file:PATH",
    });
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw storageFault("damaged", `Cannot use "${path}": it is a folder`, {
      next: "Name a file in it: --storage file:PATH/data.db",
    });
  }
  const network = real.startsWith("\\\\") ? "a network share" : networkFileSystem(real, mounts());
  if (network === undefined) return;
  throw new MpError(
    "unsupported",
    `Cannot use "${path}": it is on a network file system (${network}), whose locks are not reliable`,
    { next: "Choose a file on a local disk with --storage file:PATH, or redis or mysql" },
  );
}

function readMounts(): string {
  if (Deno.build.os !== "linux") return "";
  try {
    return readFileSync("/proc/mounts", "utf8");
  } catch {
    return "";
  }
}

/** Which file is at a path. */
function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}
