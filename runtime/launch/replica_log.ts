/**
 * The log of one replica: its files, read as one.
 *
 * @module
 */

import type { LogLine, ReplicaId } from "./driver.ts";
import { logFile, parseLogLine } from "./log_files.ts";

/** See {@linkcode openReplicaLog}. */
export interface ReplicaLog {
  /** What has been written, in batches with at least one line each, the oldest first. */
  history(from: { tail: number; since: number }): AsyncGenerator<LogLine[], void, void>;
  /** What was written after the history, or after the last time that this was called. */
  more(): Promise<LogLine[]>;
  close(): void;
}

const BLOCK = 64 * 1024;

/** Opens the log of a replica. The files stay open, so that one which is rotated meanwhile is read to its end. */
export async function openReplicaLog(folder: string, id: ReplicaId): Promise<ReplicaLog> {
  const path = logFile(folder, id);
  // the newest first: one that becomes older meanwhile is then met twice, and not missed
  const files: OpenFile[] = [];
  for (let age = 0;; age++) {
    const file = await openFile(age === 0 ? path : `${path}.${age}`, id);
    if (file && !files.some((other) => other.inode === file.inode)) files.unshift(file);
    else file?.close();
    if (!file && age > 0) break;
  }
  return {
    async *history({ tail, since }) {
      if (Number.isFinite(tail)) {
        const batches: LogLine[][] = [];
        for (let i = files.length - 1, left = tail; i >= 0 && left > 0; i--) {
          const lines = (await files[i]!.last(left))
            .filter(({ time }) => time >= since);
          left -= lines.length;
          if (lines.length > 0) batches.unshift(lines);
        }
        // with nothing to begin with, following begins at the end
        if (tail === 0) await files.at(-1)?.last(0);
        yield* batches;
        return;
      }
      for (const file of files) {
        if (file.modified < since) continue;
        for await (const batch of file.batches()) {
          const lines = batch.filter(({ time }) => time >= since);
          if (lines.length > 0) yield lines;
        }
      }
    },
    async more() {
      const lines: LogLine[] = [];
      const read = async (file: OpenFile | undefined) => {
        if (file) { for await (const batch of file.batches()) lines.push(...batch); }
      };
      const current = files.at(-1);
      await read(current);
      const now = await openFile(path, id);
      if (now === undefined || now.inode === current?.inode) {
        now?.close();
        return lines;
      }
      // it was rotated: the old file gets nothing more
      await read(current);
      files.push(now);
      await read(now);
      return lines;
    },
    close() {
      for (const file of files) file.close();
    },
  };
}

interface OpenFile {
  readonly inode: string;
  readonly modified: number;
  /** From where the last reading ended to the end, without a last line that is not whole yet. */
  batches(): AsyncGenerator<LogLine[], void, void>;
  /** The last `count` lines; reading goes on after them. */
  last(count: number): Promise<LogLine[]>;
  close(): void;
}

async function openFile(path: string, id: ReplicaId): Promise<OpenFile | undefined> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const { dev, ino, mtime, birthtime } = await file.stat();
  let decoder = new TextDecoder();
  let rest = "";
  const parse = (lines: readonly string[]) =>
    lines.map((line) => parseLogLine(id, line)).filter((line) => line !== undefined);

  return {
    // Windows has no inodes
    inode: ino === null ? `${birthtime?.getTime()}` : `${dev}:${ino}`,
    modified: mtime?.getTime() ?? Infinity,
    async *batches() {
      const block = new Uint8Array(BLOCK);
      for (;;) {
        const count = await file.read(block);
        if (count === null) return;
        const lines = (rest + decoder.decode(block.subarray(0, count), { stream: true })).split(
          "\n",
        );
        rest = lines.pop()!;
        const parsed = parse(lines);
        if (parsed.length > 0) yield parsed;
      }
    },
    async last(count) {
      const end = await file.seek(0, Deno.SeekMode.End);
      const blocks: Uint8Array[] = [];
      let newlines = 0;
      let start = end;
      // one newline more than lines: what is before the first may not be whole
      while (start > 0 && newlines <= count) {
        const size = Math.min(BLOCK, start);
        start -= size;
        const block = new Uint8Array(size);
        await file.seek(start, Deno.SeekMode.Start);
        await readFully(file, block);
        blocks.unshift(block);
        for (const byte of block) if (byte === 10) newlines++;
      }
      await file.seek(end, Deno.SeekMode.Start);
      const whole = new Uint8Array(await new Blob(blocks as BlobPart[]).arrayBuffer());
      // what follows the last newline is the beginning of a line whose end will follow
      const last = whole.lastIndexOf(10) + 1;
      decoder = new TextDecoder();
      rest = decoder.decode(whole.subarray(last), { stream: true });
      const lines = new TextDecoder().decode(whole.subarray(0, last)).split("\n").slice(0, -1);
      return count === 0 ? [] : parse(lines).slice(-count);
    },
    close: () => file.close(),
  };
}

async function readFully(file: Deno.FsFile, block: Uint8Array): Promise<void> {
  for (let filled = 0; filled < block.length;) {
    const count = await file.read(block.subarray(filled));
    if (count === null) return;
    filled += count;
  }
}
