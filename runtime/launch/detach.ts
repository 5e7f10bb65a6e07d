/**
 * A launcher in the background, which outlives the command that starts it.
 *
 * The command starts the same program again with the hidden command `launch`, in a session of its own,
 * and writes the order to its stdin. The successor reports on its stdout, a line of JSON each: that it
 * has accepted, that all is ready, or why not.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { MpError } from "../errors.ts";
import type { DeploymentHandle, ReplicaCommand } from "./driver.ts";
import { type ErrorRecord, fromErrorRecord } from "./error_record.ts";
import type { DeployOrder } from "./launcher.ts";

/** What a successor reports. */
export type SuccessorReport =
  | { readonly report: "accepted"; readonly handle: DeploymentHandle; readonly pid: number }
  | { readonly report: "ready"; readonly handle: DeploymentHandle; readonly pid: number }
  | { readonly report: "failed"; readonly error: ErrorRecord };

/** How a launcher is detached. */
export interface DetachOptions {
  /** How this program is started. */
  readonly program: ReplicaCommand;
  /** Whether to wait until every replica is ready. */
  readonly wait: boolean;
  /** Makes the successor give up, unless it is done. */
  readonly signal: AbortSignal;
  /** Ends the waiting with its reason; the successor goes on. */
  readonly late: AbortSignal;
}

/** A deployment in the background. */
export interface Detached {
  readonly handle: DeploymentHandle;
  readonly pid: number;
}

/**
 * Starts a launcher in the background.
 *
 * @returns When it has accepted the order, or when every replica is ready.
 * @throws {MpError} What the successor failed with, or `interrupted`, or the reason of `late`.
 */
export async function detach(order: DeployOrder, options: DetachOptions): Promise<Detached> {
  const { program, signal, late } = options;
  const child = new Deno.Command(program.command, {
    args: [...program.args, "launch"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  // it cleans up after itself
  const onAbort = () => terminate(child);
  signal.addEventListener("abort", onAbort);
  const ending = Promise.withResolvers<never>();
  const onLate = () => ending.reject(late.reason);
  late.addEventListener("abort", onLate);
  try {
    const done = succeed(child, order, options);
    done.catch(() => {}); // when it comes too late
    return await Promise.race([done, ending.promise]);
  } catch (error) {
    throw signal.aborted
      ? new MpError("interrupted", `Cannot run "${order.plan.app}": it was interrupted`)
      : error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    late.removeEventListener("abort", onLate);
    child.unref();
  }
}

/** Gives the order to a successor, and waits for its report. */
async function succeed(
  child: Deno.ChildProcess,
  order: DeployOrder,
  { wait }: DetachOptions,
): Promise<Detached> {
  const complaints = lastText(child.stderr);
  const writing = write(child.stdin, JSON.stringify(order));
  for await (const report of reports(child.stdout)) {
    await writing;
    if (report.report === "failed") {
      await child.status;
      throw fromErrorRecord(report.error);
    }
    if (report.report === "ready" || !wait) return { handle: report.handle, pid: report.pid };
  }
  const { code } = await child.status;
  throw new MpError(
    "launch_failed",
    `Cannot run "${order.plan.app}" in the background: its launcher exited with ${code}`,
    { where: await complaints || undefined, next: "Run it without -d to see more" },
  );
}

async function* reports(stdout: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const lines = stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    if (line.startsWith("{")) yield JSON.parse(line) as SuccessorReport;
  }
}

async function write(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // it ended first, and its status tells more
  }
}

/** The end of what was written to a stream. */
async function lastText(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text = (text + piece).slice(-2000);
  }
  return text.trim();
}

function terminate(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // it has ended
  }
}
