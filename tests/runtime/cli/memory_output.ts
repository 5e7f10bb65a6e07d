/**
 * An output that keeps what is written, for tests of commands.
 *
 * @module
 */

import { type Output, output } from "../../../runtime/cli/output.ts";
import type { Sink } from "../../../runtime/cli/sink.ts";

/** What a command wrote. */
export interface Written {
  readonly output: Output;
  /** Both streams in the order of writing. */
  readonly all: () => string;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

export interface MemoryOutputOptions {
  readonly json?: boolean;
  readonly terminal?: boolean;
  readonly logLevel?: "error" | "warning" | "info" | "debug";
  readonly columns?: number;
  readonly rows?: number;
}

/** Makes an output that keeps what is written. */
export function memoryOutput(options: MemoryOutputOptions = {}): Written {
  const { json = false, terminal = false, logLevel = "info", columns = 80, rows = 24 } = options;
  const written: { stream: string; text: string }[] = [];
  const of = (stream: string): Sink => ({
    write: (text) => written.push({ stream, text }),
    room: () => Promise.resolve(),
    flush: () => Promise.resolve(),
    closed: new AbortController().signal,
  });
  const text = (stream?: string) =>
    written.filter((one) => stream === undefined || one.stream === stream)
      .map((one) => one.text).join("");
  return {
    output: output({
      stdout: { sink: of("stdout"), isTerminal: terminal },
      stderr: { sink: of("stderr"), isTerminal: terminal },
      json,
      logLevel,
      color: () => false,
      size: () => ({ columns, rows }),
    }),
    all: () => text(),
    stdout: () => text("stdout"),
    stderr: () => text("stderr"),
  };
}
