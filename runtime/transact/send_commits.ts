/**
 * Sends commits until they are answered.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Commit, CommitResult, Storage } from "../storage/storage.ts";

/** What sending commits came to. */
export type Answer =
  /** One result for each commit. */
  | { readonly results: readonly (CommitResult | Unanswered)[] }
  /** It was given up; `mayBeDone` tells whether the commits may have been carried out. */
  | { readonly fault: unknown; readonly mayBeDone: boolean };

/** A commit that the storage does not take. */
export interface Unanswered {
  readonly refusal: unknown;
}

/** Options of {@linkcode sendCommits}. */
export interface SendOptions {
  readonly signal: AbortSignal;
  readonly random: () => number;
  /** Told of each fault after which the same commits are sent again. */
  readonly onFault: (fault: MpError, mayBeDone: boolean) => void;
}

const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 500;
/** Somebody has to act before these pass. */
const LASTING = new Set(["refused", "full", "damaged", "closed"]);

/**
 * Sends a batch of commits, and the same batch again after every fault that may pass: a storage recognises
 * a commit that it has carried out, so a lost reply is neither a lost write nor a double one.
 */
export async function sendCommits(
  storage: Storage,
  batch: readonly Commit[],
  { signal, random, onFault }: SendOptions,
): Promise<Answer> {
  let mayBeDone = false;
  for (let pause = FIRST_PAUSE;; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return { results: await storage.commit(batch, { signal }) };
    } catch (fault) {
      if (!(fault instanceof MpError) || fault.code !== "storage_unavailable") {
        if (batch.length > 1 && !signal.aborted && !mayBeDone) {
          return await sendEach(storage, batch, signal);
        }
        return { fault, mayBeDone };
      }
      mayBeDone ||= fault.reason === "reply_lost";
      if (signal.aborted || LASTING.has(fault.reason ?? "")) return { fault, mayBeDone };
      onFault(fault, mayBeDone);
    }
    await wait(pause * (0.5 + random() / 2), signal);
    if (signal.aborted) return { fault: signal.reason, mayBeDone };
  }
}

/** One commit that the storage does not take, such as one that is too large, hinders none of the others. */
async function sendEach(
  storage: Storage,
  batch: readonly Commit[],
  signal: AbortSignal,
): Promise<Answer> {
  const results: (CommitResult | Unanswered)[] = [];
  for (const commit of batch) {
    try {
      results.push(...await storage.commit([commit], { signal }));
    } catch (refusal) {
      results.push({ refusal });
    }
  }
  return { results };
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
  });
}
