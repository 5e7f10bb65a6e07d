/**
 * What a replica knows of scopes: what storage has confirmed, and over it what transactions that wait
 * for their commit have written.
 *
 * @module
 */

import type { Version } from "../storage/storage.ts";

/** A document: an object whose members are JSON. It is never changed. */
export type Document = Readonly<Record<string, unknown>>;

/**
 * One state of one scope. States are compared by identity: whoever read a state that is no longer the
 * newest has read stale data.
 */
export interface State {
  /** `undefined` when there is no document. */
  readonly data: Document | undefined;
  /** The version that storage has for it; `undefined` until it is committed. */
  version: Version | null | undefined;
}

/** How many confirmed states are kept. */
const MOST_KEPT = 10_000;

/** See the module's documentation. */
export class Overlay {
  #confirmed = new Map<string, State>();
  #newest = new Map<string, State>();

  /**
   * The newest state of a scope. A scope that is not known is taken to be absent: when it is not, the
   * commit is refused and brings its document, in the same round trip that asking first would cost.
   */
  get(scope: string): State {
    const known = this.#newest.get(scope) ?? this.#confirmed.get(scope);
    if (known !== undefined) return known;
    const absent: State = { data: undefined, version: null };
    this.confirm(scope, absent);
    return absent;
  }

  /** Puts a state that waits for its commit on top. */
  write(scope: string, state: State): void {
    this.#newest.set(scope, state);
  }

  /** Notes what storage has. */
  confirm(scope: string, state: State): void {
    // in the order of use, so that what was not used for longest is dropped first
    this.#confirmed.delete(scope);
    this.#confirmed.set(scope, state);
    if (this.#newest.get(scope) === state) this.#newest.delete(scope);
    if (this.#confirmed.size > MOST_KEPT) {
      this.#confirmed.delete(this.#confirmed.keys().next().value!);
    }
  }

  /** Forgets what lies on top of a scope's confirmed state. */
  reset(scope: string): void {
    this.#newest.delete(scope);
  }

  /** Forgets a scope: it is not known what storage has. */
  forget(scope: string): void {
    this.#newest.delete(scope);
    this.#confirmed.delete(scope);
  }
}
