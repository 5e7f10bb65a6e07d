/**
 * What `createStorage()` asks of a storage: commits on records named by encoded keys. Types only.
 *
 * A backend for a third-party system carries out these four methods; checking arguments, encoding keys, reading,
 * watching and the life cycle are then the same as everywhere.
 *
 * @module
 */

import type { JsonText } from "./storage.ts";

/** A version, or `""` where nothing is known of a key, or `"?"`, which no key ever has. */
export type EncodedVersion = string;

/** A commit whose arguments are checked. */
export interface EncodedCommit {
  readonly session: string;
  readonly seq: number;
  /** The version of everything that it writes. */
  readonly version: EncodedVersion;
  readonly checks: readonly EncodedCheck[];
  readonly writes: readonly EncodedWrite[];
}

export interface EncodedCheck {
  readonly key: string;
  readonly version: EncodedVersion;
}

export interface EncodedWrite {
  readonly key: string;
  /** `null` deletes. */
  readonly value: JsonText | null;
  /** In milliseconds since the epoch; 0 for never. */
  readonly expiresAt: number;
}

/** A check that did not hold, and what is there instead. */
export interface StaleCheck {
  /** Its index among the checks of its commit. */
  readonly index: number;
  readonly version: EncodedVersion;
  /** `null` when there is no value. */
  readonly value: JsonText | null;
}

/** Every check that did not hold; `null` when the commit was carried out, now or before. */
export type Verdict = readonly StaleCheck[] | null;

/** Keys from `from` on and before `before`. */
export interface KeyRange {
  readonly from: string;
  readonly before: string;
  /** How many entries are wanted at most; a hint. */
  readonly limit: number;
}

export interface EncodedEntry {
  readonly key: string;
  readonly version: EncodedVersion;
  readonly value: JsonText;
}

/** See the module. Faults are those of {@linkcode Storage}. */
export interface Backend {
  readonly name: string;
  /** Carries out commits in order, in one round trip, also those without checks and writes. */
  commit(batch: readonly EncodedCommit[], signal: AbortSignal | undefined): Promise<Verdict[]>;
  /** The entries of a range in order, in pages of a few megabytes at most. */
  scan(range: KeyRange, signal: AbortSignal | undefined): AsyncIterable<readonly EncodedEntry[]>;
  /** Calls `listener` whenever something may have changed; where it is absent, one has to look. */
  onChange?(listener: () => void): Disposable;
  close(): Promise<void>;
}

/** What every storage is opened with. */
export interface BackendOptions {
  /** Whose keys it holds: the app, or what several apps share on purpose. */
  readonly namespace: string;
  /** How long commits are remembered, in milliseconds. Default: 300,000, the longest deadline. */
  readonly retention?: number;
  /** Told once of what is not as it should be, in whole sentences without a full stop. Default: nobody. */
  readonly onWarning?: (warning: string) => void;
}
