/**
 * One writer, many readers at their own pace.
 *
 * @module
 */

/** Hands everything that is put in to every reader that reads at that time. */
export interface Feed<T> {
  put(item: T): void;
  /** What is put in from now on, until `signal` aborts or the feed ends. */
  read(signal?: AbortSignal): AsyncIterable<T>;
  /** Ends every reader once it has read what was put in. */
  end(): void;
}

/**
 * Makes a feed.
 *
 * @param options.most How many items may wait for one reader. Default: 10,000.
 * @param options.missed Stands for the `count` items that a reader was too slow for; without it they are left out.
 */
export function feed<T>(
  { most = 10_000, missed }: { most?: number; missed?: (count: number) => T } = {},
): Feed<T> {
  const readers = new Set<Reader<T>>();
  let ended = false;
  return {
    put(item) {
      for (const reader of readers) {
        if (reader.waiting.length < most) reader.waiting.push(item);
        else reader.missed++;
        reader.wake();
      }
    },
    read(signal) {
      // a reader begins with the call, not with the first item that is asked for
      const reader: Reader<T> = { waiting: [], missed: 0, ended, wake: () => {} };
      if (!ended && !signal?.aborted) readers.add(reader);
      else reader.ended = true;
      return iterate(reader, readers, signal, missed);
    },
    end() {
      ended = true;
      for (const reader of readers) {
        reader.ended = true;
        reader.wake();
      }
      readers.clear();
    },
  };
}

interface Reader<T> {
  waiting: T[];
  missed: number;
  ended: boolean;
  wake: () => void;
}

async function* iterate<T>(
  reader: Reader<T>,
  readers: Set<Reader<T>>,
  signal: AbortSignal | undefined,
  missed: ((count: number) => T) | undefined,
): AsyncIterable<T> {
  const onAbort = () => reader.wake();
  signal?.addEventListener("abort", onAbort);
  try {
    while (!signal?.aborted) {
      const [items, lost] = [reader.waiting, reader.missed];
      [reader.waiting, reader.missed] = [[], 0];
      for (const item of items) {
        if (signal?.aborted) return;
        yield item;
      }
      if (lost > 0 && missed) yield missed(lost);
      if (reader.waiting.length > 0) continue;
      if (reader.ended || signal?.aborted) return;
      await new Promise<void>((resolve) => reader.wake = resolve);
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    readers.delete(reader);
  }
}
