/**
 * Keeps what replicas write in files, for `mp logs`.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";
import type { LogLine } from "./driver.ts";
import { formatLogLine, logFile } from "./log_files.ts";

/** Options of {@linkcode LogWriter}. */
export interface LogWriterOptions {
  /** How large a file grows before the next one is begun, in bytes. Default: 5 MiB. */
  readonly size?: number;
  /** How many files each replica has. Default: 3. */
  readonly files?: number;
  /** Told once when a file cannot be written; the deployment goes on. */
  readonly warn?: (warning: MpError) => void;
}

/** So many bytes may wait to be written before the process that writes them has to wait. */
const MOST_WAITING = 1024 * 1024;
const encoder = new TextEncoder();

/** Writes the logs of all replicas of a deployment to one folder, each in batches to a file of its own. */
export class LogWriter {
  #folder: string;
  #size: number;
  #files: number;
  #warn: ((warning: MpError) => void) | undefined;
  #logs = new Map<string, Log>();

  constructor(folder: string, { size = 5 * 1024 * 1024, files = 3, warn }: LogWriterOptions = {}) {
    this.#folder = folder;
    this.#size = size;
    this.#files = files;
    this.#warn = warn;
  }

  /**
   * Adds a line.
   *
   * @returns A promise when the disk cannot keep up, to be waited for before more is read.
   */
  write(line: LogLine): Promise<void> | undefined {
    const path = logFile(this.#folder, line);
    let log = this.#logs.get(path);
    if (log === undefined) {
      log = { path, waiting: "", file: undefined, size: 0, torn: false, writing: undefined };
      this.#logs.set(path, log);
    }
    log.waiting += formatLogLine(line);
    log.writing ??= this.#drain(log);
    return log.waiting.length > MOST_WAITING ? log.writing : undefined;
  }

  /** Writes what waits and closes all files. Lines that come afterwards open them again. */
  async close(): Promise<void> {
    await Promise.all([...this.#logs.values()].map(async (log) => {
      await log.writing;
      log.file?.close();
    }));
    this.#logs.clear();
  }

  async #drain(log: Log): Promise<void> {
    await undefined; // what the same read still brings goes along
    while (log.waiting !== "") {
      const batch = encoder.encode(log.torn ? `\n${log.waiting}` : log.waiting);
      log.waiting = "";
      try {
        await this.#append(log, batch);
        log.torn = false;
      } catch (error) {
        this.#fail(log, error);
      }
    }
    log.writing = undefined;
  }

  async #append(log: Log, batch: Uint8Array): Promise<void> {
    let file = log.file ?? await this.#open(log);
    if (log.size > 0 && log.size + batch.length > this.#size) {
      file.close();
      log.file = undefined;
      await this.#rotate(log.path);
      file = await this.#open(log);
    }
    for (let written = 0; written < batch.length;) {
      written += await file.write(batch.subarray(written));
    }
    log.size += batch.length;
  }

  async #open(log: Log): Promise<Deno.FsFile> {
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 });
    log.file = await Deno.open(log.path, { append: true, create: true, mode: 0o600 });
    log.size = (await log.file.stat()).size;
    return log.file;
  }

  async #rotate(path: string): Promise<void> {
    for (let i = this.#files - 1; i > 0; i--) {
      const from = i === 1 ? path : `${path}.${i - 1}`;
      await Deno.rename(from, `${path}.${i}`).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
  }

  /** The batch is lost; the next one tries again, since disks are emptied. */
  #fail(log: Log, error: unknown): void {
    log.file?.close();
    log.file = undefined;
    // part of the batch may be there, without the end of its last line
    log.torn = true;
    this.#warn?.(
      new MpError("state_unwritable", `Cannot keep logs in ${this.#folder}: ${messageOf(error)}`, {
        cause: error,
        next: "The deployment goes on; mp logs will show only what was kept",
      }),
    );
    this.#warn = undefined;
  }
}

interface Log {
  readonly path: string;
  waiting: string;
  file: Deno.FsFile | undefined;
  size: number;
  /** Whether the file may end in the middle of a line. */
  torn: boolean;
  writing: Promise<void> | undefined;
}
