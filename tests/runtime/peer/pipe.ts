/**
 * A connection within a test, whose two ends the test can hold up, cut and split.
 *
 * @module
 */

import type { Connection } from "../../../runtime/peer/connection.ts";

/** One end. */
export interface End extends Connection {
  /** Whether either side has closed the connection. */
  readonly closed: boolean;
  /** What has been written here. */
  readonly written: string;
  /** Takes text as if the other end had written it. */
  inject(text: string | Uint8Array): void;
}

/** Options of {@linkcode pipe}. */
export interface PipeOptions {
  /** The most bytes that one read gives. Default: all there are. */
  chunk?: number;
  /** How many bytes may wait to be read before writes wait. Default: no limit. */
  capacity?: number;
}

/** Makes a connection; what is written to one end is read from the other. */
export function pipe(options: PipeOptions = {}): [End, End] {
  const there = new Queue(options);
  const back = new Queue(options);
  return [makeEnd(back, there), makeEnd(there, back)];
}

function makeEnd(incoming: Queue, outgoing: Queue): End {
  const written: Uint8Array[] = [];
  return {
    get closed() {
      return incoming.ended;
    },
    get written() {
      return decode(written);
    },
    inject: (text) =>
      incoming.push(typeof text === "string" ? new TextEncoder().encode(text) : text),
    read: (into) => incoming.read(into),
    async write(bytes) {
      if (outgoing.ended) throw new Deno.errors.BrokenPipe("the pipe is closed");
      const copy = bytes.slice();
      written.push(copy);
      outgoing.push(copy);
      await outgoing.room();
      return bytes.length;
    },
    close() {
      if (incoming.ended) throw new Deno.errors.BadResource("the end is closed");
      incoming.end();
      outgoing.end();
    },
  };
}

/** Bytes in one direction. */
class Queue {
  ended = false;
  #chunks: Uint8Array[] = [];
  #waiting = 0;
  #onData: (() => void) | undefined;
  #onRoom: (() => void) | undefined;

  constructor(readonly options: PipeOptions) {}

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#waiting += bytes.length;
    this.#onData?.();
  }

  end(): void {
    this.ended = true;
    this.#onData?.();
    this.#onRoom?.();
  }

  async room(): Promise<void> {
    while (this.#waiting > (this.options.capacity ?? Infinity) && !this.ended) {
      await new Promise<void>((resolve) => this.#onRoom = resolve);
    }
    if (this.ended) throw new Deno.errors.BrokenPipe("the pipe is closed");
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.ended) return null;
      await new Promise<void>((resolve) => this.#onData = resolve);
    }
    const first = this.#chunks[0]!;
    const count = Math.min(first.length, into.length, this.options.chunk ?? Infinity);
    into.set(first.subarray(0, count));
    if (count === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    this.#waiting -= count;
    this.#onRoom?.();
    return count;
  }
}

function decode(chunks: readonly Uint8Array[]): string {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(all);
}
