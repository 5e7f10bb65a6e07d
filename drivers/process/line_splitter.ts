/**
 * Splits what a process writes into lines.
 *
 * @module
 */

const NEWLINE = 10;

/** Options of {@linkcode LineSplitter}. */
export interface LineSplitterOptions {
  /** The longest line in bytes; what is over is cut. Default: 64 KiB. */
  readonly longest?: number;
}

/**
 * Takes bytes in whatever pieces they come and gives lines. A character that comes in two pieces stays
 * whole, and a line without an end does not fill the memory.
 */
export class LineSplitter {
  #onLine: (line: string) => void;
  #longest: number;
  #decoder = new TextDecoder();
  /** The beginning of a line whose end has not come, `#filled` bytes. */
  #rest = new Uint8Array(256);
  #filled = 0;
  /** How many bytes of that line are over the limit. */
  #over = 0;

  constructor(onLine: (line: string) => void, { longest = 64 * 1024 }: LineSplitterOptions = {}) {
    this.#onLine = onLine;
    this.#longest = longest;
  }

  /** Takes the next bytes. */
  push(chunk: Uint8Array): void {
    let start = 0;
    if (this.#filled > 0 || this.#over > 0) {
      const end = chunk.indexOf(NEWLINE);
      this.#keep(end < 0 ? chunk : chunk.subarray(0, end));
      if (end < 0) return;
      this.#give();
      start = end + 1;
    }
    const last = chunk.lastIndexOf(NEWLINE);
    if (last >= start) {
      this.#giveAll(chunk.subarray(start, last));
      start = last + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** Gives the last line, if it has no end. */
  end(): void {
    if (this.#filled > 0 || this.#over > 0) this.#give();
  }

  /** Whole lines, which end with `bytes`: decoded at once, as most are. */
  #giveAll(bytes: Uint8Array): void {
    if (bytes.length > this.#longest) {
      for (let start = 0; start <= bytes.length;) {
        const end = bytes.indexOf(NEWLINE, start);
        this.#keep(bytes.subarray(start, end < 0 ? undefined : end));
        this.#give();
        if (end < 0) return;
        start = end + 1;
      }
      return;
    }
    for (const line of this.#decoder.decode(bytes).split("\n")) this.#line(line);
  }

  #keep(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, Math.max(0, this.#longest - this.#filled));
    const filled = this.#filled + kept.length;
    if (filled > this.#rest.length) {
      const larger = new Uint8Array(Math.min(this.#longest, 2 * filled));
      larger.set(this.#rest.subarray(0, this.#filled));
      this.#rest = larger;
    }
    this.#rest.set(kept, this.#filled);
    this.#filled = filled;
    this.#over += bytes.length - kept.length;
  }

  #give(): void {
    // with `stream`, half a character at the place of the cut is held back; the second call drops it
    const bytes = this.#rest.subarray(0, this.#filled);
    const cut = this.#over > 0;
    const text = cut
      ? new TextDecoder().decode(bytes, { stream: true })
      : this.#decoder.decode(bytes);
    const over = this.#over;
    this.#filled = this.#over = 0;
    this.#line(cut ? `${text}… (${over} more bytes)` : text);
  }

  #line(line: string): void {
    this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}
