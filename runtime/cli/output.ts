/**
 * Where a command writes: results to stdout, everything else to stderr.
 *
 * @module
 */

import { type Palette, palette } from "./palette.ts";
import type { Sink } from "./sink.ts";

export type LogLevel = "error" | "warning" | "info" | "debug";

const LEVELS: readonly LogLevel[] = ["error", "warning", "info", "debug"];

/** One of the two streams. */
export interface Stream {
  readonly sink: Sink;
  readonly isTerminal: boolean;
  readonly palette: Palette;
}

/** Where a command writes. */
export interface Output {
  readonly json: boolean;
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Whether messages of this level are said. */
  says(level: LogLevel): boolean;
  /** Writes a result: a line, or several, to stdout. */
  result(text: string): void;
  /** Writes a result as one line of JSON to stdout. */
  data(value: unknown): void;
  /** Says something on stderr. */
  say(level: LogLevel, text: string): void;
  /** The width of the terminal; 80 where there is none. */
  columns(): number;
  /** The height of the terminal; 24 where there is none. */
  rows(): number;
  /** Resolves when all that was written has been handed to the system. */
  flush(): Promise<void>;
}

/** What {@linkcode output} is made of. */
export interface OutputOptions {
  readonly stdout: Omit<Stream, "palette">;
  readonly stderr: Omit<Stream, "palette">;
  readonly json: boolean;
  readonly logLevel: LogLevel;
  /** Whether a stream, terminal or not, is to be coloured. */
  color(isTerminal: boolean): boolean;
  /** The size of the terminal; nothing where there is none. */
  size(): { readonly columns: number; readonly rows: number } | undefined;
}

/** Makes the output of a command. */
export function output(options: OutputOptions): Output {
  const { json, logLevel } = options;
  const stream = (of: Omit<Stream, "palette">): Stream => ({
    ...of,
    palette: palette(options.color(of.isTerminal)),
  });
  const stdout = stream(options.stdout);
  const stderr = stream(options.stderr);
  const says = (level: LogLevel) => LEVELS.indexOf(level) <= LEVELS.indexOf(logLevel);
  return {
    json,
    stdout,
    stderr,
    says,
    result: (text) => stdout.sink.write(`${text}\n`),
    data: (value) => stdout.sink.write(`${JSON.stringify(value)}\n`),
    say(level, text) {
      if (!says(level)) return;
      const mark = level === "warning" ? `${stderr.palette.yellow("warning")}: ` : "";
      stderr.sink.write(`${mark}${text}\n`);
    },
    columns: () => options.size()?.columns || 80,
    rows: () => options.size()?.rows || 24,
    async flush() {
      await Promise.all([stdout.sink.flush(), stderr.sink.flush()]);
    },
  };
}
