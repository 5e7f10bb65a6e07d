/**
 * What one attempt of a transaction sees of scopes, and what it changes.
 *
 * @module
 */

import { create, current, isDraft } from "mutative";
import { MpError } from "../errors.ts";
import { encodeJson } from "../payload.ts";
import type { JsonText } from "../storage/storage.ts";
import type { Document, Overlay, State } from "./overlay.ts";

/** A scope as a transaction's body sees it: an object that can be changed. */
// deno-lint-ignore no-explicit-any -- what a scope holds is declared by the script
export type Draft = Record<string, any>;

/** What an attempt changed: the new document and its text. */
export interface Written {
  readonly data: Document;
  readonly text: JsonText;
}

interface Opened {
  readonly state: State;
  readonly draft: Draft;
  readonly finish: () => Document;
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
        `Cannot use scope ${JSON.stringify(scope)}: its transaction has ended`,
        {
          next: "Wait for everything that uses a scope before the handler or the body returns",
        },
      );
    }
    if (opened !== undefined) return opened.draft;
    const state = this.#overlay.get(scope);
    const [draft, finish] = create((state.data ?? {}) as Draft, { enableAutoFreeze: false });
    this.#opened.set(scope, { state, draft, finish: finish as () => Document });
    return draft;
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
    for (const [scope, { state, finish }] of this.#opened) {
      const data = finish();
      if (!keep || data === state.data || (state.data === undefined && isEmpty(data))) continue;
      written.set(scope, { data, text: encodeScope(scope, data) });
    }
    return written;
  }
}

/** A copy of a body's result that no draft is part of. */
export function withoutDrafts(result: unknown): unknown {
  if (typeof result !== "object" || result === null) return result;
  return isDraft(result) ? current(result) : JSON.parse(encodeJson(result));
}

function encodeScope(scope: string, data: Document): string {
  try {
    return encodeJson(data);
  } catch (error) {
    const place = error instanceof Error ? error.message : String(error);
    throw new TypeError(`Cannot store scope ${JSON.stringify(scope)}: ${place}`);
  }
}

function isEmpty(data: Document): boolean {
  return Object.keys(data).length === 0;
}
