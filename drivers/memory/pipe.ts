/**
 * One direction of a connection within this process.
 *
 * @module
 */

/** How many bytes may wait for the reader before the writer waits; about what a socket's buffer holds. */
const ROOM = 1024 * 1024;

/** See the module's documentation. */
export class Pipe {
  #chunks: Uint8Array[] = [];
  #size = 0;
  #ended = false;
  #reader:
    | { readonly into: Uint8Array; readonly resolve: (count: number | null) => void }
    | undefined;
  #writers: (() => void)[] = [];

  /** Bytes that arrive. They are not copied; nobody may change them afterwards. */
  push(bytes: Uint8Array): void {
    if (this.#ended || bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    reader.resolve(this.#take(reader.into));
  }

  /** The other side sends nothing more; what has arrived can still be read. */
  end(): void {
    this.#ended = true;
    if (this.#chunks.length > 0) return;
    this.#reader?.resolve(null);
    this.#reader = undefined;
  }

  /** Nobody reads any more. */
  abandon(): void {
    this.#chunks = [];
    this.#size = 0;
    this.end();
    for (const resume of this.#writers.splice(0)) resume();
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#chunks.length > 0) return Promise.resolve(this.#take(into));
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve) => this.#reader = { into, resolve });
  }

  /** Resolves when there is room for more. */
  room(): Promise<void> {
    if (this.#size <= ROOM) return Promise.resolve();
    return new Promise((resolve) => this.#writers.push(resolve));
  }

  #take(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, into.length - filled);
      into.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#size -= filled;
    if (this.#size <= ROOM) { for (const resume of this.#writers.splice(0)) resume(); }
    return filled;
  }
}
