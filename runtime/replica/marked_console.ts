/**
 * What handlers print on the console, marked with the request that they answer.
 *
 * @module
 */

import { logMark, type LogOrigin } from "../telemetry/log_marks.ts";
import { traceIdOf } from "../telemetry/trace_headers.ts";
import { CallContext } from "./call_context.ts";

type Stream = "stdout" | "stderr";

/** What of the console prints, and where. */
const PRINTS: Readonly<Record<string, Stream>> = {
  ...Object.fromEntries(
    ["log", "info", "debug", "dir", "dirxml", "table", "group", "groupCollapsed", "count"]
      .concat("timeLog", "timeEnd").map((name) => [name, "stdout"] as const),
  ),
  ...Object.fromEntries(
    ["warn", "error", "trace", "assert"].map((name) => [name, "stderr"] as const),
  ),
};

/** What is marked. */
export interface MarkedConsoleOptions {
  readonly console: Console;
  /** Writes to a stream at once, behind what the console has written. */
  readonly write: (stream: Stream, text: string) => void;
}

/**
 * Marks what a console prints while a call is answered. What is written past it in the same turn of the
 * event loop is marked, too; anything else is not.
 */
export function markConsole({ console, write }: MarkedConsoleOptions): void {
  const marks: Record<Stream, string> = { stdout: "", stderr: "" };
  const mark = (stream: Stream, text: string) => {
    if (marks[stream] === text) return;
    marks[stream] = text;
    write(stream, text === "" ? logMark(undefined) : text);
  };
  let unmarking = false;
  const unmark = () => {
    unmarking = false;
    mark("stdout", "");
    mark("stderr", "");
  };
  const methods = console as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const [name, stream] of Object.entries(PRINTS)) {
    const print = methods[name]!.bind(console);
    methods[name] = (...args) => {
      const origin = currentOrigin();
      mark(stream, origin === undefined ? "" : logMark(origin));
      if (origin !== undefined && !unmarking) {
        unmarking = true;
        queueMicrotask(unmark);
      }
      return print(...args);
    };
  }
}

function currentOrigin(): LogOrigin | undefined {
  const context = CallContext.current;
  if (context === undefined) return undefined;
  const { requestId, trace } = context;
  return { requestId, ...(trace && { traceId: traceIdOf(trace) }) };
}
