/**
 * The output of this process.
 *
 * @module
 */

import type { Global } from "./global_options.ts";
import { type Output, output } from "./output.ts";
import { wantsColor } from "./palette.ts";
import { type Sink, sink } from "./sink.ts";

let sinks: { readonly stdout: Sink; readonly stderr: Sink } | undefined;

/** The output to this process's stdout and stderr that the global options ask for. */
export function systemOutput(
  { json, color, logLevel }: Global,
  env: (name: string) => string | undefined,
): Output {
  // one of each, however often a process asks, so that texts keep their order
  const { stdout, stderr } = sinks ??= { stdout: sink(Deno.stdout), stderr: sink(Deno.stderr) };
  return output({
    stdout: { sink: stdout, isTerminal: Deno.stdout.isTerminal() },
    stderr: { sink: stderr, isTerminal: Deno.stderr.isTerminal() },
    json,
    logLevel,
    color: (isTerminal) => wantsColor(color, isTerminal, env),
    columns,
  });
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}
