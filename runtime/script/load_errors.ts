/**
 * Why a script could not be loaded, as the launcher tells it.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { ExitReport, LoadFailure } from "./loading.ts";
import { showPath } from "./show_path.ts";

/** How a child ended that had not answered. */
export interface EarlyEnd {
  readonly status: Deno.CommandStatus;
  /** What it printed last. */
  readonly stderr: string;
  /** Whether it had reported for duty. */
  readonly connected: boolean;
  /** The file in which it may have left an {@linkcode ExitReport}. */
  readonly report: string;
}

/** The error that a child's failure stands for; its cause has the stack with the user's lines. */
export function failedWith(script: string, failure: LoadFailure): MpError {
  const { code, message, position, next, stack } = failure;
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  const where = position === undefined && failure.where || whereOf(script, position);
  return new MpError(code, message, { where, next, cause });
}

/** The error of a script that has used up its time. */
export function tookTooLong(script: string, limit: number, does: "computes" | "waits"): MpError {
  const time = limit >= 1_000 ? `${limit / 1_000} s` : `${limit} ms`;
  return new MpError(
    "script_timeout",
    `Cannot load "${showPath(script)}": its top level still ${does} after ${time}`,
    {
      where: showPath(script),
      next: does === "computes"
        ? "Look for an endless loop outside of the handlers, and do long work in them"
        : "Look for an await at the top level that takes long, and wait in the handlers",
    },
  );
}

/** The error of a child that ended before it answered; nothing when it was a program that has done its work. */
export async function endedEarly(script: string, end: EarlyEnd): Promise<MpError | undefined> {
  const { status, stderr, connected } = end;
  const shown = showPath(script);
  if (!connected) {
    return new MpError(
      "launch_failed",
      `Cannot start the process that loads "${shown}": ${lastLine(stderr) || howItEnded(status)}`,
      { next: "Run mp doctor" },
    );
  }
  const report = await readReport(end.report);
  if (report?.call !== undefined && !report.services) return undefined;
  const failed = (why: string, next: string) =>
    new MpError("script_failed", `Cannot load "${shown}": ${why}`, {
      where: whereOf(script, report?.position),
      next,
    });
  if (report?.call !== undefined) {
    return failed(
      `it calls ${report.call} at its top level`,
      "Leave the call out, for every replica evaluates the script and has to go on",
    );
  }
  if (report) {
    return failed(
      "its top level waits for something that never comes",
      "Look for an await at the top level whose promise nobody resolves",
    );
  }
  if (/out of memory|heap limit/i.test(stderr)) {
    return failed("it ran out of memory", "Load large data in the handlers, in parts");
  }
  return failed(
    `its process ${howItEnded(status)} at its top level`,
    "Look at what the script starts or calls outside of the handlers",
  );
}

function whereOf(script: string, position: LoadFailure["position"]): string {
  if (!position) return showPath(script);
  return `${showPath(position.file)}:${position.line}:${position.column}`;
}

function howItEnded({ code, signal }: Deno.CommandStatus): string {
  return signal ? `was killed by ${signal}` : `ended with status ${code}`;
}

async function readReport(path: string): Promise<ExitReport | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as ExitReport;
  } catch {
    // it left none
    return undefined;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
