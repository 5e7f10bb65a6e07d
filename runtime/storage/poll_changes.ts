/**
 * Watches records by looking at their versions again and again.
 *
 * @module
 */

import type { EncodedVersion, Verdict } from "./backend.ts";
import type { Key, Versioned } from "./storage.ts";
import { isFault } from "./storage_fault.ts";
import { versioned } from "./versioned.ts";

/** What to watch, and how. */
export interface PollOptions {
  readonly keys: readonly Key[];
  /** Milliseconds between two looks. */
  readonly interval: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /**
   * Looks at all keys.
   *
   * @param versions What was seen of each key; `undefined` at first.
   * @returns For each key `null`, or its state when that is another.
   */
  look(versions: readonly (EncodedVersion | undefined)[], signal: AbortSignal): Promise<Verdict[]>;
  /** Tells when to look at once. */
  onChange?: ((listener: () => void) => Disposable) | undefined;
}

/** The states of keys, as they are seen to change, until the signal aborts. */
export async function* pollChanges(options: PollOptions): AsyncGenerator<Versioned> {
  const { keys, interval, signal, look, onChange } = options;
  const versions: (EncodedVersion | undefined)[] = keys.map(() => undefined);
  const pause = pauser(signal);
  using _subscription = onChange?.(pause.end);
  while (!signal.aborted) {
    pause.begin();
    let verdicts: Verdict[] = [];
    try {
      verdicts = await look(versions, signal);
    } catch (error) {
      if (signal.aborted) return;
      // an outage ends some time, and what has changed meanwhile is then seen
      if (!isFault(error)) throw error;
    }
    for (const [i, verdict] of verdicts.entries()) {
      const state = verdict?.[0];
      if (state === undefined) continue;
      versions[i] = state.version;
      yield versioned(keys[i]!, state);
    }
    await pause.over(interval);
  }
}

/** A pause that ends early when it is told to, also when it was told before it was waited for. */
function pauser(signal: AbortSignal) {
  let told = Promise.withResolvers<void>();
  const end = () => told.resolve();
  return {
    begin() {
      told = Promise.withResolvers<void>();
    },
    end,
    async over(milliseconds: number) {
      const timer = setTimeout(end, milliseconds);
      signal.addEventListener("abort", end);
      try {
        if (!signal.aborted) await told.promise;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
      }
    },
  };
}
