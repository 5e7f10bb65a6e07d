/**
 * What one attempt of a transaction sees of scopes, and what it changes.
 *
 * @module
 */

import { create, current, isDraft } from "mutative";
import { MpError } from "../errors.ts";
import { encodeJson } from "../payload.ts";
import { decodeKey, showKey } from "../storage/key.ts";
import type { JsonText } from "../storage/storage.ts";
import type { Document, Overlay, State } from "./overlay.ts";

/** A scope as a transaction's body sees it: an object that can be changed. */
// deno-lint-ignore no-explicit-any -- what a scope holds is declared by the script
export type Draft = Record<string, any>;

/** What an attempt made of a scope: the new document and its text. */
export interface Written {
  /** `undefined` for a scope that was removed. */
  readonly data: Document | undefined;
  readonly text: JsonText | undefined;
}

interface Opened {
  readonly state: State;
  readonly draft: Draft;
  readonly finish: () => Document;
  removed: boolean;
}

/** One attempt of a transaction. */
export class View {
  #overlay: Overlay;
  #opened = new Map<string, Opened>();
  #ended = false;

  constructor(overlay: Overlay) {
    this.#overlay = overlay;
  }

  /** Whether the attempt has touched a scope. */
  get touched(): boolean {
    return this.#opened.size > 0;
  }

  /** The scopes that were touched, each with the state on which the attempt rests. */
  *reads(): Iterable<readonly [scope: string, state: State]> {
    for (const [scope, { state }] of this.#opened) yield [scope, state];
  }

  /** Whether every scope still is as the attempt saw it. */
  get fresh(): boolean {
    for (const [scope, { state }] of this.#opened) {
      if (this.#overlay.get(scope) !== state) return false;
    }
    return true;
  }

  /**
   * A scope, to be read and changed. A scope without a document is an empty object; it gets a document
   * when something is written.
   *
   * @throws {MpError} When the transaction has ended.
   */
  open(scope: string): Draft {
    const opened = this.#opened.get(scope);
    if (this.#ended) {
      throw new MpError(
        "scope_after_effect",
        `Cannot use ${showKey(decodeKey(scope))}: its transaction has ended`,
        {
          next: "Wait for everything that uses a scope before the handler or the body returns",
        },
      );
    }
    if (opened !== undefined) return opened.draft;
    const state = this.#overlay.get(scope);
    const [draft, finish] = create((state.data ?? {}) as Draft, { enableAutoFreeze: false });
    this.#opened.set(scope, { state, draft, finish: finish as () => Document, removed: false });
    return draft;
  }

  /** Puts a document in place of a scope's. @throws {TypeError} When it is no object. */
  replace(scope: string, document: Draft): void {
    if (typeof document !== "object" || document === null || Array.isArray(document)) {
      throw new TypeError(`Cannot set ${showKey(decodeKey(scope))}: it can only be an object`);
    }
    // it may be made of what the scope holds now
    const copy = JSON.parse(encodeJson(document));
    const draft = this.open(scope);
    for (const name of Object.keys(draft)) delete draft[name];
    Object.assign(draft, copy);
  }

  /** Removes a scope's document. */
  remove(scope: string): void {
    this.replace(scope, {});
    this.#opened.get(scope)!.removed = true;
  }

  /**
   * Ends the attempt; its drafts can no longer be used.
   *
   * @param keep Whether what was changed counts: a body that throws has changed nothing.
   * @throws {TypeError} Naming the place, when a scope was made to hold what is not JSON.
   */
  end(keep: boolean): Map<string, Written> {
    this.#ended = true;
    const written = new Map<string, Written>();
    for (const [scope, { state, finish, removed }] of this.#opened) {
      const data = finish();
      if (!keep || data === state.data || (state.data === undefined && isEmpty(data))) continue;
      if (removed && isEmpty(data)) written.set(scope, { data: undefined, text: undefined });
      else written.set(scope, { data, text: encodeScope(scope, data) });
    }
    return written;
  }
}

/** A copy of a body's result, for whoever called it: no part of it belongs to a scope. */
export function withoutDrafts<T>(result: T): T {
  if (typeof result !== "object" || result === null) return result;
  return JSON.parse(encodeJson(isDraft(result) ? current(result) : result));
}

function encodeScope(scope: string, data: Document): string {
  try {
    return encodeJson(data);
  } catch (error) {
    const place = error instanceof Error ? error.message : String(error);
    throw new TypeError(`Cannot store ${showKey(decodeKey(scope))}: ${place}`);
  }
}

function isEmpty(data: Document): boolean {
  return Object.keys(data).length === 0;
}
