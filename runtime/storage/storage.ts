/**
 * The contract of a storage: where scopes live. Types only.
 *
 * A storage keeps JSON texts under keys, each with a version, and changes them in commits. It never looks
 * into a text. What a commit says is carried out in one round trip, whole or not at all.
 *
 * Two kinds of ending are kept apart. A commit that is *refused*, because something that it read has
 * changed, is a return value, and brings the current values along. An exception is a *fault*:
 *
 * - {@linkcode MpError} `storage_unavailable`, retryable, with a {@linkcode FaultReason}. Only after
 *   `reply_lost` may the commits have been carried out; after any other nothing was, and never will be.
 * - `request_too_large` or `unsupported`: the storage does not take such a commit. It is checked before
 *   anything is sent, so nothing of the batch was carried out; sent one by one, the others would be.
 * - `signal.reason`: the signal aborted before anything was sent. A signal that aborts while the storage is
 *   away gives `storage_unavailable`, and one that aborts after sending gives `reply_lost`.
 * - `TypeError`, `RangeError`: wrong arguments.
 *
 * @module
 */

import type { MpError } from "../errors.ts";

/** What a key is of. `reply`: what a call with an idempotency key was answered. */
export type KeyKind = "scope" | "reply" | "log" | "queue" | "timer" | "lease";

/**
 * The name of a record: its kind, then one or more names. Names are any strings of up to 512 bytes of
 * UTF-8; they are escaped, so `["scope", "a:b"]` and `["scope", "a", "b"]` are two keys. Apps do not see each
 * other's keys, since every storage is opened for one namespace.
 */
export type Key = readonly [kind: KeyKind, ...names: string[]];

/**
 * The version of a record: opaque, compared for equality only.
 *
 * A version never comes back, also not when a record is deleted and made again: a commit gives everything
 * that it writes the version made of its own session and number (`versionOf()`), so a writer knows the
 * version before the answer. A record that is deleted or has expired has a version too, for as long as
 * commits are remembered; `null` is that of a record of which nothing is known.
 */
export type Version = string;

/** A text that is JSON. Storages trust that it is. Up to 16 MiB of UTF-8. */
export type JsonText = string;

/** What a storage holds under a key. */
export interface Versioned {
  readonly key: Key;
  /** What to check for in a commit that has read this. */
  readonly version: Version | null;
  /** `undefined` when there is nothing: never stored, deleted or expired. */
  readonly value: JsonText | undefined;
}

/** What a commit has read: it is refused unless the key still has this version. */
export interface Check {
  readonly key: Key;
  readonly version: Version | null;
}

/** One change of a commit. A commit changes a key at most once. */
export type Mutation = Put | Delete | Append;

/** Stores a value, in place of what was there. */
export interface Put {
  readonly op: "put";
  readonly key: Key;
  readonly value: JsonText;
  /** When the value goes by itself, in milliseconds since the epoch by the storage's clock. */
  readonly expiresAt?: number;
}

/** Removes a value; where there is none it only gives the key a new version. */
export interface Delete {
  readonly op: "delete";
  readonly key: Key;
}

/** Adds events to a log. No storage takes it yet: `unsupported`. */
export interface Append {
  readonly op: "append";
  readonly key: Key;
  readonly events: readonly JsonText[];
}

/**
 * One transaction: when every check holds, every mutation is made, at one instant.
 *
 * **Sending again.** `session` and `seq` name the commit: a session never uses a number twice. After a lost reply
 * the *same* commit is sent again until it is answered. One that was carried out is recognised, changes nothing, and is
 * answered `done` as before; that answer needs nothing else, since the versions that it wrote follow from
 * `session` and `seq`. One that was not is judged now; if it was refused it is refused again, since no
 * version comes back. It is recognised by the record of the first key that it writes, which keeps the
 * highest number of each session (`writers`) for as long as commits are remembered: `retention`, 5 minutes by
 * default, which is the longest deadline that a call may have. A commit that writes nothing leaves no trace and is judged
 * each time.
 *
 * **Order.** Numbers rise. A session sends a commit before an earlier one that writes the same key has been
 * answered only when the later one checks a version that the earlier one writes: then it can only be
 * carried out after it.
 */
export interface Commit {
  /** Who commits: 8 to 64 letters, digits, `-` and `_`, from `newSession()`. */
  readonly session: string;
  /** Which of its commits: an integer from 1. */
  readonly seq: number;
  readonly checks: readonly Check[];
  readonly mutations: readonly Mutation[];
}

/** How a commit ended. */
export type CommitResult = Done | Refused;

/** Every check held, and every mutation was made, now or when the same commit was sent before. */
export interface Done {
  readonly done: true;
}

/** A check did not hold, and nothing was changed. */
export interface Refused {
  readonly done: false;
  /**
   * What has changed: the current state of each checked key whose version is another, at one instant. At that
   * same instant the keys that are not named here were as they were checked.
   */
  readonly current: readonly Versioned[];
}

/** Why a storage is not available: `reason` of an {@linkcode MpError} `storage_unavailable`. */
export type FaultReason =
  /** It was sent, and the connection or the caller went away before an answer: it may have been carried out. */
  | "reply_lost"
  /** No connection, or a server that starts up or stands by. Passes by itself. */
  | "unreachable"
  /** Held up by others for too long. Passes by itself. */
  | "busy"
  /** The server lets us not in, or does not let us write. Somebody has to act. */
  | "refused"
  /** No space or memory left. Somebody has to act. */
  | "full"
  /** What is there is not what this storage wrote, or cannot be read. Somebody has to act. */
  | "damaged"
  /** `close()` was called. */
  | "closed";

/** What every call takes. */
export interface CallOptions {
  /** Gives up waiting. Without one, a call waits for a bounded time only. */
  readonly signal?: AbortSignal;
}

/** Keys that begin alike. */
export interface Range {
  /** Every key that has these parts first, and at least one more: `["scope"]`. */
  readonly prefix: Key | readonly [KeyKind];
  /** Only keys after this one, in the order of `scan()`. */
  readonly after?: Key;
}

export interface ScanOptions extends CallOptions {
  /** At most so many entries. Default: all. */
  readonly limit?: number;
}

/** A key that has a value. */
export interface Entry {
  readonly key: Key;
  readonly version: Version;
  readonly value: JsonText;
}

export interface WatchOptions extends CallOptions {
  /** How often to look where the storage does not tell by itself, in milliseconds. Default: 200. */
  readonly interval?: number;
}

/**
 * A storage, opened for one namespace. Safe to be called any number of times at once; it connects at the
 * first call, and again after a connection is lost.
 */
export interface Storage extends AsyncDisposable {
  /** `file`, `redis`, … */
  readonly name: string;
  /**
   * Reads keys at one instant, in one round trip. With no keys it only asks whether the storage is there.
   *
   * @returns One for each key, in their order.
   */
  read(keys: readonly Key[], options?: CallOptions): Promise<Versioned[]>;
  /**
   * Carries out commits one after the other, in one round trip. Each is atomic for itself: one that is
   * refused hinders none of the others.
   *
   * @returns One for each commit, in their order.
   */
  commit(batch: readonly Commit[], options?: CallOptions): Promise<CommitResult[]>;
  /**
   * The values under a prefix, ordered by their escaped keys, the same in every storage. They are read bit by bit: what
   * changes meanwhile may be seen or not.
   */
  scan(range: Range, options?: ScanOptions): AsyncIterable<Entry>;
  /**
   * The state of each key, then every later state that is seen; states in quick succession may be seen as one.
   * Goes on through outages; ends when the signal aborts or the storage is closed.
   */
  watch(keys: readonly Key[], options?: WatchOptions): AsyncIterable<Versioned>;
  /** Gives up what is under way (`closed`, or `reply_lost` for what was sent) and leaves nothing behind. Idempotent. */
  close(): Promise<void>;
}

/** An error that says whether a commit may have been carried out. */
export type StorageFault = MpError & {
  readonly code: "storage_unavailable";
  readonly reason: FaultReason;
};
