/**
 * One request to the storage, sent until it is known what became of it.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { DEFAULT_RETENTION } from "../storage/record.ts";
import type { Commit, CommitResult, Storage } from "../storage/storage.ts";
import { backOff, type Pauses } from "./pauses.ts";

/** What became of a request. */
export type Landing =
  /** One result for each commit. */
  | { readonly results: readonly CommitResult[] }
  | Lost;

/** A request without an answer. */
export interface Lost {
  readonly fault: unknown;
  /**
   * - `not_done`: nothing was carried out, and never will be;
   * - `not_taken`: the storage does not take such commits; nothing was carried out;
   * - `unknown`: the commits may have been carried out.
   */
  readonly fate: "not_done" | "not_taken" | "unknown";
}

/** Options of {@linkcode Flight}. */
export interface FlightOptions {
  readonly storage: Storage;
  readonly commits: readonly Commit[];
  readonly pauses: Pauses;
  /** Whether results say no more than that the commits came before others on which they rest. Default: they never do. */
  readonly isEarly?: ((results: readonly CommitResult[]) => boolean) | undefined;
  /** Told of each fault after which the same commits are sent again. */
  readonly onFault: (fault: MpError) => void;
}

/** For how long the same commits are sent again: while the storage remembers them, less a margin. */
const SEND_AGAIN = DEFAULT_RETENTION * 0.8;

/** How often commits are sent again at once that have come too early. */
const MOST_EARLY = 3;

/** See the module's documentation. */
export class Flight {
  readonly started = performance.now();
  #options: FlightOptions;
  #attempt = new AbortController();
  #mayBeDone = false;
  #givenUp: { readonly reason: unknown } | undefined;

  constructor(options: FlightOptions) {
    this.#options = options;
  }

  /** Whether the commits may have been carried out already, since a reply was lost. */
  get mayBeDone(): boolean {
    return this.#mayBeDone;
  }

  /**
   * Sends the commits, and the same ones again as long as it is not known whether they were carried out: the
   * storage recognises what it has carried out, so a lost reply is neither a lost write nor a double one.
   */
  async send(): Promise<Landing> {
    const { storage, commits, pauses, isEarly, onFault } = this.#options;
    let early = 0;
    for (let attempt = 0;; attempt++) {
      try {
        const results = await storage.commit(commits, { signal: this.#attempt.signal });
        if (early++ >= MOST_EARLY || !isEarly?.(results)) return { results };
        attempt--;
        continue;
      } catch (fault) {
        const landing = this.#judge(fault);
        if (landing !== undefined) return landing;
        onFault(fault as MpError);
      }
      if (!this.#givenUp) {
        this.#attempt = new AbortController();
        await pauses.pause(backOff(attempt), this.#attempt.signal);
      }
      if (this.#givenUp) return { fault: this.#givenUp.reason, fate: "unknown" };
    }
  }

  /** Ends the attempt that is under way, if it is the first, to learn whether the commits have left. */
  interrupt(): void {
    if (!this.#mayBeDone) this.#attempt.abort(interrupted());
  }

  /** Ends it: nobody waits for it any more. */
  giveUp(reason: unknown): void {
    this.#givenUp = { reason };
    this.#attempt.abort(reason);
  }

  /** What a fault tells; `undefined` when the same commits have to be sent again. */
  #judge(fault: unknown): Landing | undefined {
    const before = this.#mayBeDone;
    if (isNotTaken(fault)) return { fault, fate: before ? "unknown" : "not_taken" };
    if (fault === this.#attempt.signal.reason && this.#attempt.signal.aborted) {
      return { fault, fate: before ? "unknown" : "not_done" };
    }
    if (!(fault instanceof MpError) || fault.code !== "storage_unavailable") {
      // what a storage never throws says nothing; an error of mp comes before anything is sent
      return { fault, fate: before || !(fault instanceof MpError) ? "unknown" : "not_done" };
    }
    this.#mayBeDone ||= fault.reason === "reply_lost";
    if (!this.#mayBeDone) return { fault, fate: "not_done" };
    const isOver = this.#givenUp !== undefined || isLasting(fault) ||
      performance.now() - this.started > SEND_AGAIN;
    return isOver ? { fault, fate: "unknown" } : undefined;
  }
}

/** Whether somebody has to act before a storage is available. */
export function isLasting(fault: unknown): boolean {
  return !(fault instanceof MpError) || fault.code !== "storage_unavailable" ||
    ["refused", "full", "damaged", "closed"].includes(fault.reason ?? "");
}

function isNotTaken(fault: unknown): boolean {
  return fault instanceof TypeError || fault instanceof RangeError ||
    (fault instanceof MpError &&
      (fault.code === "request_too_large" || fault.code === "unsupported"));
}

function interrupted(): MpError {
  return new MpError("storage_unavailable", "The storage has not answered in time", {
    reason: "unreachable",
  });
}
