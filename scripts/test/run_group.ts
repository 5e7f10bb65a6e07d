/**
 * Runs one `deno test` and counts what it ran.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { FailedFiles } from "./failed_files.ts";
import { Progress } from "./progress.ts";
import { parseSummary, type Summary } from "./summary.ts";

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

/** What one run of `deno test` came to. */
export interface GroupResult extends Summary {
  /** The files in which a test failed. */
  readonly failedFiles: readonly string[];
  /** The files that had begun when it ended in the midst of the last one, of which nothing is counted then. */
  readonly brokenOff?: readonly string[];
  /** What is to be told again at the very end, a line each. */
  readonly complaints: readonly string[];
}

/**
 * Runs `deno test` with some arguments.
 *
 * A run that ends badly without a failed test (a type error, say, a hang, or no test at all) counts as one
 * failure besides what it had come to, so that nothing that went wrong adds up to none.
 */
export async function runGroup(
  args: readonly string[],
  { cwd, signal, print, env, silence = 120_000 }: RunGroupOptions,
): Promise<GroupResult> {
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
  let summary: Summary | undefined;
  const [failed, progress] = [new FailedFiles(), new Progress()];
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of lines) {
      // that a test is still running is no news
      if (!line.includes("has been running for over")) {
        clearTimeout(timer);
        timer = setTimeout(onSilence, silence);
      }
      print(line);
      failed.read(line);
      progress.read(line);
      summary = parseSummary(line) ?? summary;
    }
  };
  const [status] = await Promise.all([child.status, read(child.stdout), read(child.stderr)]);
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  const failedFiles = [...failed.files];
  const isWhole = summary !== undefined && !hung;
  if (isWhole && (status.success || summary!.failed > 0)) {
    const complaints = failed.titles.map((title) => `Failed: ${title}`);
    return { ...summary!, failedFiles, complaints };
  }
  const isBrokenOff = summary === undefined && progress.files.length > 0;
  const known = summary ?? progress.before;
  const result = {
    ...known,
    failed: known.failed + 1,
    failedFiles,
    ...(isBrokenOff && { brokenOff: progress.files }),
  };
  if (signal.aborted) return { ...result, complaints: [] };
  const why = hung
    ? `no test ended for ${silence / 1000} s`
    : `deno test ended with ${status.signal ?? `status ${status.code}`}`;
  const complaint = `Cannot run all tests: ${why}${isBrokenOff ? `, ${progress.place}` : ""}`;
  print(complaint);
  return { ...result, complaints: [complaint] };
}

function endGroup(child: Deno.ChildProcess) {
  try {
    Deno.kill(Deno.build.os === "windows" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}
