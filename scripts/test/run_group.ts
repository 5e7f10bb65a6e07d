/**
 * Runs one `deno test` and counts what it ran.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { NOTHING, parseSummary, type Summary } from "./summary.ts";

/** One line that `deno test` printed. */
export type PrintLine = (line: string) => void;

export interface RunGroupOptions {
  readonly cwd: string;
  /** Stops the run, with everything that it started. */
  readonly signal: AbortSignal;
  readonly print: PrintLine;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long no test may end before the run is taken to hang, in milliseconds. */
  readonly silence?: number;
}

/**
 * Runs `deno test` with some arguments.
 *
 * A run that ends badly without a failed test (a type error, say, or no test at all) counts as one
 * failure, so that nothing that went wrong adds up to none.
 */
export async function runGroup(
  args: readonly string[],
  { cwd, signal, print, env, silence = 180_000 }: RunGroupOptions,
): Promise<Summary> {
  signal.throwIfAborted();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", ...args],
    cwd,
    env: { ...env, ...(!Deno.stdout.isTerminal() && { NO_COLOR: "1" }) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // a group of its own, so that what the tests started can be ended with them
    detached: Deno.build.os !== "windows",
  }).spawn();
  let hung = false;
  const end = () => endGroup(child);
  const onSilence = () => {
    hung = true;
    end();
  };
  signal.addEventListener("abort", end, { once: true });
  let timer = setTimeout(onSilence, silence);
  let summary = NOTHING;
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of lines) {
      // that a test is still running is no news
      if (!line.includes("has been running for over")) {
        clearTimeout(timer);
        timer = setTimeout(onSilence, silence);
      }
      print(line);
      summary = parseSummary(line) ?? summary;
    }
  };
  const [{ success, code }] = await Promise.all([
    child.status,
    read(child.stdout),
    read(child.stderr),
  ]);
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  if (hung) print(`Cannot go on with the tests: no test ended for ${silence / 1000} s`);
  if (success || summary.failed > 0) return summary;
  if (!hung && !signal.aborted) {
    print(`Cannot run all tests: deno test ended with status ${code}; see above`);
  }
  return { ...summary, failed: 1 };
}

function endGroup(child: Deno.ChildProcess) {
  try {
    Deno.kill(Deno.build.os === "windows" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}
