/**
 * What one side of a connection sends to the other: lines on their way, in order.
 *
 * @module
 */

import type { Fate } from "./network.ts";
import type { Pipe } from "./pipe.ts";

/** A line that has not arrived, or the end of the connection. */
interface Travelling {
  readonly bytes: Uint8Array | undefined;
  /** When it may arrive, by `performance.now()`; `undefined` while it is held. */
  due: number | undefined;
}

const NEWLINE = 10;

/** See the module's documentation. */
export class Flow {
  readonly pipe: Pipe;
  #judge: (line: Uint8Array | undefined) => Fate;
  #travelling: Travelling[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param pipe Where what arrives is read.
   * @param judge What becomes of a line, given with its end, or of the end of the connection.
   */
  constructor(pipe: Pipe, judge: (line: Uint8Array | undefined) => Fate) {
    this.pipe = pipe;
    this.#judge = judge;
  }

  /** Sends whole lines. */
  send(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(NEWLINE, start) + 1;
      this.#sendLine(bytes.subarray(start, end));
      start = end;
    }
    this.#arrive();
  }

  /** Sends nothing more. */
  end(): void {
    this.#sendLine(undefined);
    this.#arrive();
  }

  /** Loses what is on its way. */
  drop(): void {
    this.#travelling = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Has what is held judged again. */
  release(): void {
    const held = this.#travelling.findIndex(({ due }) => due === undefined);
    if (held < 0) return;
    for (const { bytes } of this.#travelling.splice(held)) this.#sendLine(bytes);
    this.#arrive();
  }

  #sendLine(bytes: Uint8Array | undefined): void {
    const last = this.#travelling.at(-1);
    const isBehindHeld = last !== undefined && last.due === undefined;
    const fate = isBehindHeld ? "held" : this.#judge(bytes);
    if (fate === "lost") return;
    this.#travelling.push({ bytes, due: fate === "held" ? undefined : performance.now() + fate });
  }

  /** Hands over what has arrived; nothing overtakes what was sent before it. */
  #arrive(): void {
    const now = performance.now();
    let next: Travelling | undefined;
    while ((next = this.#travelling[0]) !== undefined) {
      if (next.due === undefined || next.due > now) break;
      this.#travelling.shift();
      if (next.bytes === undefined) this.pipe.end();
      else this.pipe.push(next.bytes);
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (next?.due !== undefined) this.#timer = setTimeout(() => this.#arrive(), next.due - now);
  }
}
