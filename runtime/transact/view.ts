/**
 * What one attempt of a transaction sees of scopes, and what it changes.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { decodeKey, showKey } from "../storage/key.ts";
import { Draft, draftOf, type DraftOwner, hasMembers, type Members } from "./draft.ts";
import { type Document, type Overlay, State } from "./overlay.ts";
import { copyDraft, settleDraft } from "./settle_draft.ts";

/** A scope as a transaction's body sees it: an object that can be changed. */
// deno-lint-ignore no-explicit-any -- what a scope holds is declared by the script
export type ScopeDraft = Record<string, any>;

/** What an attempt made of a scope. */
export interface Written {
  readonly state: State;
  /** When the scope goes by itself, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

interface Opened {
  readonly state: State;
  root: Draft;
  /** What a body has put in place of the document. */
  replaced: Draft | undefined;
  removed: boolean;
  expiresAt: number | undefined;
}

/** One attempt of a transaction. */
export class View implements DraftOwner {
  #drafts: Map<object, Draft> | undefined;
  #foreign: Set<object> | undefined;
  #overlay: Overlay;
  #opened = new Map<string, Opened>();
  #ended = false;
  /** Told of an error that the attempt comes to, when its changes are taken back; what it then changes counts. */
  onThrow: ((error: unknown) => void) | undefined;

  constructor(overlay: Overlay) {
    this.#overlay = overlay;
  }

  /** @internal Made when it is needed, which it is not for documents of numbers. */
  get drafts(): Map<object, Draft> {
    return this.#drafts ??= new Map();
  }

  /** @internal */
  get foreign(): Set<object> {
    return this.#foreign ??= new Set();
  }

  /** Whether the attempt has ended, so that nothing more can be done with it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The scopes that were touched. */
  get scopes(): Iterable<string> {
    return this.#opened.keys();
  }

  /** The scopes that were touched, each with the state on which the attempt rests. */
  reads(): Map<string, State> {
    const reads = new Map<string, State>();
    for (const [scope, { state }] of this.#opened) reads.set(scope, state);
    return reads;
  }

  /** Whether every scope still is as the attempt saw it. */
  get fresh(): boolean {
    for (const [scope, { state }] of this.#opened) {
      if (!this.#overlay.isNewest(scope, state)) return false;
    }
    return true;
  }

  /**
   * A scope, to be read and changed. A scope without a document is an empty object; it gets a document
   * when something is written.
   *
   * @throws {MpError} `scope_after_effect` when the transaction has ended.
   */
  open(scope: string): ScopeDraft {
    const { replaced, root } = this.#open(scope);
    return (replaced ?? root).proxy;
  }

  /** Puts a document in place of a scope's. @throws {TypeError} When it is no object. */
  replace(scope: string, document: unknown): void {
    const opened = this.#open(scope);
    const isObject = typeof document === "object" && document !== null;
    const draft = isObject ? draftOf(document) : undefined;
    if (!isObject || Array.isArray(document) || !(draft || hasMembers(document))) {
      throw new TypeError(`Cannot set ${shown(scope)}: it can only be a plain object`);
    }
    if (draft === (opened.replaced ?? opened.root)) return;
    opened.removed = false;
    opened.replaced = draft ?? this.drafts.get(document) ??
      new Draft(this, scope, document as Members, true, undefined, "");
  }

  /** Removes a scope's document. */
  remove(scope: string): void {
    this.replace(scope, {});
    this.#open(scope).removed = true;
  }

  /** Lets a scope go by itself at a time, if it is written. */
  expire(scope: string, at: number): void {
    this.#open(scope).expiresAt = at;
  }

  /** @internal Checks each use of a draft. */
  use(scope: string): void {
    if (!this.#ended) return;
    throw new MpError(
      "scope_after_effect",
      `Cannot use ${shown(scope)}: its transaction has ended`,
      {
        next: "Wait for everything that uses a scope before the handler or the body returns",
      },
    );
  }

  /** Ends the attempt; its drafts can no longer be used, and what was changed does not count. */
  abandon(): void {
    this.#ended = true;
  }

  /**
   * Ends the attempt; its drafts can no longer be used.
   *
   * @returns What it has written.
   * @throws {TypeError} Naming the place, when a scope was made to hold what is not JSON.
   */
  end(): Map<string, Written> {
    this.#ended = true;
    const written = new Map<string, Written>();
    for (const [scope, { state, root, replaced, removed, expiresAt }] of this.#opened) {
      if (!root.changed && replaced === undefined) continue;
      const data = settled(scope, () => replaced ? copyDraft(replaced) : settleDraft(root));
      const isEmpty = Object.keys(data).length === 0;
      if (isEmpty && state.data === undefined) continue;
      written.set(scope, {
        state: State.written(isEmpty && removed ? undefined : data),
        expiresAt,
      });
    }
    return written;
  }

  /**
   * Ends the attempt with an error: what was changed does not count.
   *
   * @returns What is written because of the error.
   */
  fail(error: unknown): Map<string, Written> {
    this.#ended = true;
    const { onThrow } = this;
    if (onThrow === undefined) return new Map();
    for (const [scope, { state }] of this.#opened) {
      this.#opened.set(scope, this.#fresh(scope, state));
    }
    this.#drafts = undefined;
    this.#ended = false;
    try {
      onThrow(error);
    } finally {
      this.#ended = true;
    }
    return this.end();
  }

  #open(scope: string): Opened {
    this.use(scope);
    const known = this.#opened.get(scope);
    if (known !== undefined) return known;
    const opened = this.#fresh(scope, this.#overlay.get(scope));
    this.#opened.set(scope, opened);
    return opened;
  }

  #fresh(scope: string, state: State): Opened {
    return {
      state,
      root: new Draft(this, scope, documentOf(scope, state), false, undefined, ""),
      replaced: undefined,
      removed: false,
      expiresAt: undefined,
    };
  }
}

function documentOf(scope: string, state: State): Members {
  const data: unknown = state.data;
  if (data === undefined) return {};
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return data as Members;
  throw new TypeError(`Cannot use ${shown(scope)}: what is stored there is not an object`);
}

function settled(scope: string, settle: () => Document): Document {
  try {
    return settle();
  } catch (error) {
    throw error instanceof TypeError
      ? new TypeError(`Cannot store ${shown(scope)}: ${error.message}`)
      : error;
  }
}

function shown(scope: string): string {
  return showKey(decodeKey(scope));
}
