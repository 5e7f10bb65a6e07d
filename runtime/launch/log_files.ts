/**
 * The files in which the lines of replicas are kept: `<path>.<index>.log`, and `….log.1`, `….log.2` for
 * what is older. A line of a file is `2025-01-31T12:00:00.000Z stdout text`.
 *
 * @module
 */

import type { LogLine, ReplicaId } from "./driver.ts";

/** The file of a replica. */
export function logFile(folder: string, { path, index }: ReplicaId): string {
  return `${folder}/${path}.${index}.log`;
}

/** The replica of a file, whichever of its files it is; nothing when it is no such file. */
export function parseLogFile(name: string): ReplicaId & { readonly age: number } | undefined {
  const match = /^(.+)\.(\d+)\.log(?:\.(\d+))?$/.exec(name);
  if (!match) return undefined;
  return { path: match[1]!, index: Number(match[2]), age: Number(match[3] ?? 0) };
}

let lastTime = NaN;
let lastText = "";

/** A line as a file has it, with its end. */
export function formatLogLine({ time, stream, text }: Omit<LogLine, keyof ReplicaId>): string {
  // many lines come in the same millisecond
  if (time !== lastTime) [lastTime, lastText] = [time, new Date(time).toISOString()];
  return `${lastText} ${stream} ${text}\n`;
}

const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (stdout|stderr) /;

/** A line of a file, without its end; nothing for what is no whole line, such as after a full disk. */
export function parseLogLine({ path, index }: ReplicaId, line: string): LogLine | undefined {
  const match = LINE.exec(line);
  if (!match) return undefined;
  return {
    path,
    index,
    time: Date.parse(match[1]!),
    stream: match[2] as LogLine["stream"],
    text: line.slice(match[0].length),
  };
}
