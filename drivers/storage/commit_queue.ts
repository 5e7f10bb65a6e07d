/**
 * Commits that wait for one writer: whatever has come meanwhile is written together.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { EncodedCommit, Verdict } from "../../runtime/storage/backend.ts";

/** How many commits, and how many characters of values, are written together at most. */
const MAX_COMMITS = 512;
const MAX_CHARACTERS = 8 * 1024 * 1024;
/** How long is waited for a lock where no signal says how long, in milliseconds. */
const PATIENCE = 30_000;
/** The shortest and the longest pause before another try, in milliseconds. */
const PAUSES = [1, 4] as const;

/** What writes, and what its errors mean. */
export interface CommitQueueOptions {
  /** Writes commits. Synchronous: when it returns they are written, when it throws they are not. */
  run(batch: readonly EncodedCommit[]): Verdict[];
  /** Whether an error of `run` passes by itself. */
  isBusy(error: unknown): boolean;
  /** The error for a caller whose time is over, given the last one of `run`. */
  giveUp(cause: unknown): Error;
  /** The error for callers that wait when the queue is closed. */
  closed(): Error;
}

/** See the module. */
export interface CommitQueue {
  /** Writes commits, together with others that wait. */
  add(batch: readonly EncodedCommit[], signal?: AbortSignal): Promise<Verdict[]>;
  /** Does something else that may find the lock taken. */
  retry<T>(action: () => T, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

interface Waiting {
  readonly batch: readonly EncodedCommit[];
  readonly settle: PromiseWithResolvers<Verdict[]>;
  readonly signal: AbortSignal | undefined;
  readonly until: number;
}

export function commitQueue({ run, isBusy, giveUp, closed }: CommitQueueOptions): CommitQueue {
  const waiting: Waiting[] = [];
  const closing = new AbortController();
  let draining: Promise<void> | undefined;

  function add(batch: readonly EncodedCommit[], signal?: AbortSignal): Promise<Verdict[]> {
    const settle = Promise.withResolvers<Verdict[]>();
    waiting.push({ batch, settle, signal, until: performance.now() + PATIENCE });
    // commits of callers that go on at the same moment are written together
    draining ??= Promise.resolve().then(drain);
    return settle.promise;
  }

  async function drain(): Promise<void> {
    for (let tries = 0; waiting.length > 0;) {
      const taken = take(waiting);
      try {
        const verdicts = run(taken.flatMap(({ batch }) => batch));
        let at = 0;
        for (const { batch, settle } of taken) {
          settle.resolve(verdicts.slice(at, at += batch.length));
        }
        tries = 0;
        // callers whose commits are done may add others before the next write
        if (waiting.length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      } catch (error) {
        if (isBusy(error)) {
          waiting.unshift(...taken);
          await pauseForAll(tries++);
          dropLate(error);
        } else {
          for (const { settle } of taken) settle.reject(error);
        }
      }
    }
    draining = undefined;
  }

  /** Waits until it is time for another try, or somebody does not want to wait any longer. */
  function pauseForAll(tries: number): Promise<void> {
    const signals = waiting.flatMap(({ signal }) => signal ?? []);
    return pause(tries, [closing.signal, ...signals]);
  }

  function dropLate(cause: unknown): void {
    const now = performance.now();
    for (const job of waiting.splice(0)) {
      if (closing.signal.aborted) job.settle.reject(closed());
      else if (job.signal?.aborted || now >= job.until) job.settle.reject(giveUp(cause));
      else waiting.push(job);
    }
  }

  async function retry<T>(action: () => T, signal?: AbortSignal): Promise<T> {
    const until = performance.now() + PATIENCE;
    for (let tries = 0;; tries++) {
      try {
        return action();
      } catch (error) {
        if (!isBusy(error)) throw error;
        await pause(tries, signal === undefined ? [closing.signal] : [closing.signal, signal]);
        if (closing.signal.aborted) throw closed();
        if (signal?.aborted || performance.now() >= until) throw giveUp(error);
      }
    }
  }

  async function close(): Promise<void> {
    closing.abort();
    for (const { settle } of waiting.splice(0)) settle.reject(closed());
    await draining;
  }

  return { add, retry, close };
}

/** As many of those that wait as are written together. */
function take(waiting: Waiting[]): Waiting[] {
  let commits = 0;
  let characters = 0;
  let count = 0;
  for (const { batch } of waiting) {
    commits += batch.length;
    for (const { writes } of batch) {
      for (const { value } of writes) characters += value?.length ?? 0;
    }
    if (count > 0 && (commits > MAX_COMMITS || characters > MAX_CHARACTERS)) break;
    count++;
  }
  return waiting.splice(0, count);
}

async function pause(tries: number, signals: readonly AbortSignal[]): Promise<void> {
  const longest = Math.min(PAUSES[1], PAUSES[0] * 2 ** tries);
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, Math.random() * longest);
  const end = () => over.resolve();
  for (const signal of signals) signal.addEventListener("abort", end);
  try {
    if (!signals.some(({ aborted }) => aborted)) await over.promise;
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener("abort", end);
  }
}
