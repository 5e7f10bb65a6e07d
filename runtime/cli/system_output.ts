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
  const { stdout, stderr } = sinks ??= systemSinks();
  return output({
    stdout: { sink: stdout, isTerminal: Deno.stdout.isTerminal() },
    stderr: { sink: stderr, isTerminal: Deno.stderr.isTerminal() },
    json,
    logLevel,
    color: (isTerminal) => wantsColor(color, isTerminal, env),
    size,
  });
}

/** One sink for each stream, however often a process asks; one for both on a terminal, so that they keep their order. */
function systemSinks() {
  const stdout = sink(Deno.stdout);
  const same = Deno.stdout.isTerminal() && Deno.stderr.isTerminal();
  return { stdout, stderr: same ? stdout : sink(Deno.stderr) };
}

function size() {
  try {
    return Deno.consoleSize();
  } catch {
    return undefined;
  }
}
