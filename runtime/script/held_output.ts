/**
 * What a child prints while it is not yet known whether anybody is to see it.
 *
 * @module
 */

/** Which of the standard streams. */
export type OutputStream = "stdout" | "stderr";

/** Takes what a child prints, as it comes. */
export type OnOutput = (stream: OutputStream, bytes: Uint8Array) => void;

const MiB = 1024 * 1024;

/** Reads the output of a child and holds it until it is known what becomes of it. */
export class HeldOutput {
  /** Resolves when both streams have ended. */
  readonly ended: Promise<void>;
  #held: { stream: OutputStream; bytes: Uint8Array }[] = [];
  #size = 0;
  #onOutput: OnOutput | undefined;
  #readers: ReadableStreamDefaultReader<Uint8Array>[] = [];

  constructor(child: Deno.ChildProcess) {
    this.ended = Promise.all([
      this.#read("stdout", child.stdout),
      this.#read("stderr", child.stderr),
    ])
      .then(() => {});
  }

  /** What the child has printed last to its standard error, as text. */
  get stderr(): string {
    const decoder = new TextDecoder();
    return this.#held.filter(({ stream }) => stream === "stderr")
      .map(({ bytes }) => decoder.decode(bytes, { stream: true })).join("");
  }

  /** Hands over what was held, and from now on what comes. */
  release(onOutput: OnOutput): void {
    this.#onOutput = onOutput;
    for (const { stream, bytes } of this.#held) onOutput(stream, bytes);
    this.#held = [];
  }

  /** Stops reading; a grandchild may hold the streams open for longer than the child lives. */
  async stop(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.cancel().catch(() => {})));
    await this.ended;
  }

  async #read(stream: OutputStream, from: ReadableStream<Uint8Array>): Promise<void> {
    const reader = from.getReader();
    this.#readers.push(reader);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        if (this.#onOutput) this.#onOutput(stream, value);
        else this.#hold(stream, value);
      }
    } catch {
      // the stream ended with its process
    }
  }

  /** An endless loop can print without end too; what came last says most. */
  #hold(stream: OutputStream, bytes: Uint8Array): void {
    this.#held.push({ stream, bytes });
    this.#size += bytes.length;
    while (this.#size > MiB && this.#held.length > 1) {
      this.#size -= this.#held.shift()!.bytes.length;
    }
  }
}
