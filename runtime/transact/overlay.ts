/**
 * What a replica knows of scopes: what storage has confirmed, and over it what transactions that wait
 * for their commit have seen and written.
 *
 * @module
 */

import type { JsonText, Version } from "../storage/storage.ts";

/** A document: an object whose members are JSON. It is never changed. */
export type Document = Readonly<Record<string, unknown>>;

/**
 * One state of one scope. States are compared by identity: whoever read a state that is no longer the
 * newest has read stale data.
 */
export class State {
  /** The version that storage has for it; `undefined` until it is committed. */
  version: Version | null | undefined;
  /** About how much memory it takes, in characters of its text. */
  size: number;
  #data: Document | undefined;
  #text: JsonText | undefined;

  private constructor(
    data: Document | undefined,
    text: JsonText | undefined,
    version: Version | null | undefined,
  ) {
    this.#data = data;
    this.#text = text;
    this.version = version;
    this.size = text?.length ?? 0;
  }

  /** What storage has. */
  static stored(text: JsonText | undefined, version: Version | null): State {
    return new State(undefined, text, version);
  }

  /** What a transaction has written; `undefined` when it has removed the scope. */
  static written(data: Document | undefined): State {
    return new State(data, undefined, undefined);
  }

  /**
   * `undefined` when there is no document.
   *
   * @throws {SyntaxError} When what is stored is not JSON.
   */
  get data(): Document | undefined {
    if (this.#text !== undefined) {
      this.#data = JSON.parse(this.#text);
      this.#text = undefined;
    }
    return this.#data;
  }
}

/** How much is kept of what storage has confirmed. */
const MOST_KEPT = { states: 10_000, size: 64 * 1024 * 1024 };

/** See the module's documentation. */
export class Overlay {
  #confirmed = new Map<string, State>();
  #size = 0;
  #newest = new Map<string, State>();

  /** The newest state of a scope, if it is known. */
  peek(scope: string): State | undefined {
    return this.#newest.get(scope) ?? this.#confirmed.get(scope);
  }

  /**
   * The newest state of a scope. A scope that is not known is taken to be absent: when it is not, the
   * commit is refused and brings its document, in the same round trip that asking first would cost.
   */
  get(scope: string): State {
    const known = this.peek(scope);
    if (known !== undefined) return known;
    const absent = State.stored(undefined, null);
    this.confirm(scope, absent);
    return absent;
  }

  /** Whether a state is the newest, as far as is known. What has been forgotten is judged by its commit. */
  isNewest(scope: string, state: State): boolean {
    const known = this.peek(scope);
    return known === state || (known === undefined && state.version !== undefined);
  }

  /** What storage has, as far as is known. */
  confirmed(scope: string): State | undefined {
    return this.#confirmed.get(scope);
  }

  /** Whether something lies over what is confirmed. */
  isPinned(scope: string): boolean {
    return this.#newest.has(scope);
  }

  /** Puts a state on which a transaction rests, or which it has written, on top. */
  pin(scope: string, state: State): void {
    this.#newest.set(scope, state);
  }

  /** Takes everything away that lies over what is confirmed. */
  unpin(): void {
    this.#newest.clear();
  }

  /** Notes what storage has. */
  confirm(scope: string, state: State): void {
    this.#drop(scope);
    // in the order of use, so that what was not used for longest goes first
    this.#confirmed.set(scope, state);
    this.#size += state.size;
    while (this.#confirmed.size > MOST_KEPT.states || this.#size > MOST_KEPT.size) {
      if (this.#confirmed.size === 1) break;
      this.#drop(this.#confirmed.keys().next().value!);
    }
  }

  /** Forgets a scope: it is not known what storage has. */
  forget(scope: string): void {
    this.#drop(scope);
  }

  #drop(scope: string): void {
    const known = this.#confirmed.get(scope);
    if (known === undefined) return;
    this.#confirmed.delete(scope);
    this.#size -= known.size;
  }
}
