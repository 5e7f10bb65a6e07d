/**
 * A stream that never blocks who writes to it, and says when nobody reads it any more.
 *
 * @module
 */

/** Takes text to write. */
export interface Sink {
  write(text: string): void;
  /** Resolves when little waits to be written, for who can wait rather than have text left out. */
  room(): Promise<void>;
  /** Resolves when all that was written before has been handed to the system, or nobody reads it. */
  flush(): Promise<void>;
  /** Aborts when the other end of the pipe is closed. */
  readonly closed: AbortSignal;
}

/** What a sink writes to: `Deno.stdout`, `Deno.stderr`. */
export interface Writer {
  write(bytes: Uint8Array): Promise<number>;
}

// a reader that stops reading (a pager, a terminal on hold) must not let memory grow without end
const MOST_WAITING = 4 * 1024 * 1024;

/**
 * Makes a sink.
 *
 * Text that is written while a write is under way is kept, up to a bound; beyond it whole texts are
 * left out, and one line says how many.
 *
 * @param writer Where the text goes, as UTF-8.
 * @param mostWaiting How many characters may wait. Default: 4 Mi.
 */
export function sink(writer: Writer, mostWaiting: number = MOST_WAITING): Sink {
  const encoder = new TextEncoder();
  const closing = new AbortController();
  let waiting = "";
  let leftOut = 0;
  let writing: Promise<void> | undefined;

  const drain = async () => {
    try {
      while (waiting !== "") {
        const bytes = encoder.encode(waiting);
        waiting = leftOut > 0 ? `… ${leftOut} pieces of output left out, for nobody read\n` : "";
        leftOut = 0;
        for (let at = 0; at < bytes.length;) at += await writer.write(bytes.subarray(at));
      }
    } catch (error) {
      waiting = "";
      closing.abort(error);
    } finally {
      writing = undefined;
    }
  };

  return {
    closed: closing.signal,
    write(text) {
      if (closing.signal.aborted) return;
      if (waiting.length > mostWaiting) {
        leftOut++;
        return;
      }
      waiting += text;
      writing ??= drain();
    },
    async room() {
      while (writing !== undefined && waiting.length > mostWaiting / 4) await writing;
    },
    async flush() {
      while (writing !== undefined) await writing;
    },
  };
}
