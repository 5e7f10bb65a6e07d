/**
 * What happened in a run, for people: who called whom, what was lost, what was committed.
 *
 * @module
 */

import type { Fate, Message } from "../../drivers/memory/network.ts";
import type { Commit, CommitResult } from "../../runtime/storage/storage.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** How much of a body is shown, in characters. */
const SHOWN = 100;

/** See the module's documentation. */
export class History {
  readonly #lines: string[] = [];
  #time: VirtualTime;
  #isClosed = false;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Nothing more is added. */
  close(): void {
    this.#isClosed = true;
  }

  /** Adds a line. */
  note(text: string): void {
    if (this.#isClosed) return;
    this.#lines.push(`${this.#time.now.toFixed(3).padStart(11)}  ${text}`);
  }

  /** Adds a message between replicas. */
  message({ connection, from, to, line }: Message, fate: Fate): void {
    if (line.kind === "ping" || line.kind === "pong") return;
    const end = fate === "lost" ? "   LOST" : fate === "held" ? "   held" : "";
    const what = line.kind === "notice"
      ? line.target
      : "body" in line
      ? `${line.kind} ${connection}:${line.id} ${short(line.body)}`
      : `${line.kind} ${connection}:${line.id}`;
    this.note(`${from} → ${to}  ${what}${end}`);
  }

  /** Adds what became of commits. */
  commits(replica: string, commits: readonly Commit[], results: readonly CommitResult[]): void {
    commits.forEach((commit, i) => {
      const result = results[i]!;
      const read = commit.checks.map(({ key }) => key.slice(1).join("/"));
      const written = commit.mutations.map((mutation) => {
        const name = mutation.key.slice(1).join("/");
        return mutation.op === "put"
          ? `${name} = ${short(mutation.value)}`
          : `${mutation.op} ${name}`;
      });
      const what = written.length > 0
        ? `commits ${written.join(", ")}`
        : `checks ${read.join(", ")}`;
      const stale = result.done
        ? ""
        : `   REFUSED, stale: ${
          result.current.map(({ key }) => key.slice(1).join("/")).join(", ")
        }`;
      this.note(`${replica}  ${what}${stale}`);
    });
  }
}

/** As much of a text as is shown. */
export function short(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`;
}
