/**
 * One process of a replica, from its start to its end.
 *
 * @module
 */

import { messageOf } from "../../runtime/errors.ts";
import type { LogLine } from "../../runtime/launch/driver.ts";
import { type LogOrigin, unmarkLine } from "../../runtime/telemetry/log_marks.ts";
import { describeExit } from "./describe_exit.ts";
import { LineSplitter } from "./line_splitter.ts";

/** What is started. */
export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Takes a line, and the request of which it is. @returns A promise when no more is to be read for now. */
export type OnLine = (
  stream: LogLine["stream"],
  text: string,
  origin?: LogOrigin,
) => Promise<void> | undefined;

/** How many lines of what it wrote last are remembered. */
const LAST_WORDS = 8;
/** How long its output is waited for after its end: a process that it started may hold it open for ever. */
const PATIENCE = 200;

/** See the module's documentation. */
export class ReplicaProcess {
  /** Nothing when it could not be started. */
  readonly pid: number | undefined;
  /** Resolves when it has ended and its last lines were given, with how it ended. */
  readonly ended: Promise<string>;
  #child: Deno.ChildProcess | undefined;
  #onLine: OnLine;
  #lastWords: string[] = [];

  /** Starts it. It never throws: a process that cannot be started has ended. */
  constructor({ command, args, cwd, env }: ProcessSpec, onLine: OnLine) {
    this.#onLine = onLine;
    try {
      this.#child = new Deno.Command(command, {
        args: [...args],
        cwd,
        env,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      this.pid = this.#child.pid;
      this.ended = this.#run(this.#child);
    } catch (error) {
      this.ended = Promise.resolve(`cannot be started: ${messageOf(error)}`);
    }
  }

  /** The last lines that it wrote on stderr, if any. */
  get lastWords(): string | undefined {
    return this.#lastWords.length > 0 ? this.#lastWords.join("\n") : undefined;
  }

  kill(signal: Deno.Signal): void {
    try {
      this.#child?.kill(signal);
    } catch {
      // it has ended
    }
  }

  async #run(child: Deno.ChildProcess): Promise<string> {
    const readers = [child.stdout.getReader(), child.stderr.getReader()] as const;
    const outputs = Promise.all([
      this.#read(readers[0], "stdout"),
      this.#read(readers[1], "stderr"),
    ]);
    const status = await child.status;
    let timer: ReturnType<typeof setTimeout> | undefined = undefined;
    const enough = new Promise<void>((resolve) => timer = setTimeout(resolve, PATIENCE));
    await Promise.race([outputs, enough]);
    clearTimeout(timer);
    for (const reader of readers) reader.cancel().catch(() => {});
    await outputs;
    this.#child = undefined;
    return describeExit(status);
  }

  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    stream: LogLine["stream"],
  ): Promise<void> {
    let pause: Promise<void> | undefined;
    let before: LogOrigin | undefined;
    let over = false;
    const splitter = new LineSplitter((line) => {
      const { text, origin, next } = unmarkLine(line, before);
      before = next;
      // a mark behind the last line is none
      if (over && text === "") return;
      pause = this.#onLine(stream, text, origin) ?? pause;
      if (stream === "stdout") return;
      this.#lastWords.push(text);
      if (this.#lastWords.length > LAST_WORDS) this.#lastWords.shift();
    });
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        splitter.push(next.value);
        if (pause) await pause;
        pause = undefined;
      }
    } catch {
      // the pipe broke: what came before counts
    }
    over = true;
    splitter.end();
  }
}
