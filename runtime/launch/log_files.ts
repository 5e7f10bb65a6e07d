/**
 * The files in which the lines of replicas are kept: `<path>.<index>.log`, and `….log.1`, `….log.2` for
 * what is older. A line of a file is `2025-01-31T12:00:00.000Z stdout text`, and one that belongs to a
 * request `2025-01-31T12:00:00.000Z stdout:<trace or ->:<request> text`.
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
export function formatLogLine(line: Omit<LogLine, keyof ReplicaId>): string {
  const { time, stream, text, requestId, traceId = "-" } = line;
  // many lines come in the same millisecond
  if (time !== lastTime) [lastTime, lastText] = [time, new Date(time).toISOString()];
  const origin = requestId === undefined ? "" : `:${traceId}:${requestId}`;
  return `${lastText} ${stream}${origin} ${text}\n`;
}

const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (stdout|stderr)(?::([^\s:]+):(\S+))? /;

/** A line of a file, without its end; nothing for what is no whole line, such as after a full disk. */
export function parseLogLine({ path, index }: ReplicaId, line: string): LogLine | undefined {
  const match = LINE.exec(line);
  if (!match) return undefined;
  const [whole, time, stream, traceId, requestId] = match;
  return {
    path,
    index,
    time: Date.parse(time!),
    stream: stream as LogLine["stream"],
    text: line.slice(whole.length),
    ...(requestId !== undefined && { requestId }),
    ...(traceId !== undefined && traceId !== "-" && { traceId }),
  };
}
