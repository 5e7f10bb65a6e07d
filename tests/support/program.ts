/**
 * A program that a test started, with the lines that it prints.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";

/** How a program ended, with all that it printed. */
export interface Ended {
  /** The exit status; 128 and the signal's number when a signal ended it. */
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program. */
export interface Program {
  readonly pid: number;
  /** Resolves when it has ended. */
  readonly ended: Promise<Ended>;
  /** What it has printed so far, both streams in the order of arrival. */
  readonly lines: readonly string[];
  /**
   * Resolves with the first line that holds `text`, or fits it, printed already or in time to come.
   *
   * @param options `from`: the number of lines to pass over; `timeout`: how long to wait, in
   * milliseconds, 30,000 unless given.
   * @throws {Error} When the program ends first or time is over; the message has all that was printed.
   */
  line(text: string | RegExp, options?: { from?: number; timeout?: number }): Promise<string>;
  kill(signal?: Deno.Signal): void;
}

export interface StartProgramOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Starts a program. */
export function startProgram(
  executable: string,
  { args, cwd, env, stdin }: StartProgramOptions,
): Program {
  const child = new Deno.Command(executable, {
    args: [...args],
    cwd,
    env,
    clearEnv: true,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let over = false;
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    const own: string[] = [];
    const decoded = stream.pipeThrough(new TextDecoderStream());
    for await (const line of decoded.pipeThrough(new TextLineStream())) {
      own.push(`${line}\n`);
      lines.push(line);
      for (const watch of watchers) watch();
    }
    return own.join("");
  };
  const ended = (async (): Promise<Ended> => {
    const [{ code, signal }, stdout, stderr] = await Promise.all([
      child.status,
      read(child.stdout),
      read(child.stderr),
      stdin === undefined ? undefined : feed(child.stdin, stdin),
    ]);
    over = true;
    for (const watch of watchers) watch();
    return { code, signal, stdout, stderr };
  })();
  const line: Program["line"] = (text, { from = 0, timeout = 30_000 } = {}) =>
    new Promise((resolve, reject) => {
      let next = from;
      const settle = (fn: () => void) => {
        clearTimeout(timer);
        watchers.delete(watch);
        fn();
      };
      const fail = (why: string) =>
        settle(() =>
          reject(new Error(`Cannot wait for ${text}: ${why}; printed was\n${lines.join("\n")}`))
        );
      const timer = setTimeout(() => fail(`not printed in ${timeout} ms`), timeout);
      const watch = () => {
        for (; next < lines.length; next++) {
          const found = lines[next]!;
          if (typeof text === "string" ? found.includes(text) : text.test(found)) {
            return settle(() => resolve(found));
          }
        }
        if (over) fail("the program ended");
      };
      watchers.add(watch);
      watch();
    });
  return {
    pid: child.pid,
    ended,
    lines,
    line,
    kill(signal = "SIGTERM") {
      try {
        child.kill(signal);
      } catch {
        // it has ended by itself
      }
    },
  };
}

async function feed(stdin: WritableStream<Uint8Array<ArrayBuffer>>, text: string) {
  try {
    await new Blob([text]).stream().pipeTo(stdin);
  } catch {
    // a program need not read what it is given
  }
}
