/**
 * What a call with an idempotency key was answered. It is kept in a record of its own, which is read and
 * written by the transaction whose result it is: so whoever makes the call again, on whichever replica,
 * is refused by the storage, learns what was answered, and changes nothing.
 *
 * An error that a body throws is an answer, too, and kept: otherwise an earlier attempt of the same call, whose
 * caller has long been told of the error, could still be carried out.
 *
 * @module
 */

import { type ErrorData, messageOf, MpError } from "../errors.ts";
import { hash32 } from "../hash.ts";
import { Payload } from "../payload.ts";
import { encodeKey } from "../storage/key.ts";
import type { Outcome } from "./transaction.ts";
import type { View } from "./view.ts";

/** For how long it is kept, in milliseconds: much longer than the longest deadline. */
export const KEPT_FOR = 3_600_000;

/** What a reply is kept for. */
export interface KeptReplyOptions {
  /** Whose answer it is: what runs the handler, and the user, or "" for none. */
  readonly owner: readonly [place: string, user: string];
  readonly idempotencyKey: string;
  /** What was asked, as text. */
  readonly request: string;
  /** Which of the handler's own transactions it is the result of; absent for the handler's reply. */
  readonly step?: Step;
}

/** One of the transactions that a handler runs by itself. */
interface Step {
  /** From 1. */
  readonly number: number;
  /** What identifies it, as text. */
  readonly what: string;
}

/** Whether an error is an answer, and not one of an attempt that did not come to any. */
export type IsAnswer = (error: unknown) => boolean;

/** What is kept of an error. */
type KeptError = ErrorData | { readonly name: string; readonly message: string };

/** See the module's documentation. */
export class KeptReply {
  #options: KeptReplyOptions;
  #id: string;
  #fingerprint: string | undefined;

  /** @throws {MpError} `invalid_request` when the key is too long together with the owner's names. */
  constructor(options: KeptReplyOptions) {
    const { owner, idempotencyKey, step } = options;
    this.#options = options;
    try {
      const steps = step === undefined ? [] : [String(step.number)];
      this.#id = encodeKey(["reply", ...owner, idempotencyKey, ...steps]);
    } catch (error) {
      throw new MpError("invalid_request", `Cannot use the idempotency key: it is too long`, {
        cause: error,
      });
    }
  }

  /** The place of the result of one of the handler's own transactions. @param what Identifies it. */
  step(number: number, what: string): KeptReply {
    return new KeptReply({ ...this.#options, step: { number, what } });
  }

  /**
   * What was answered, if anything was.
   *
   * @throws The error that was the answer.
   * @throws {MpError} `idempotency_key_reused` when something else was asked with the same key.
   */
  recall(view: View): Payload | undefined {
    const { request, result, error } = view.open(this.#id);
    if (request === undefined) return undefined;
    if (request !== this.#asked) throw this.#reused(String(request));
    if (error !== undefined) throw this.#revive(error);
    return Payload.ofText(result);
  }

  /** Recalls what was answered, or else runs a body and keeps what it answers, be it an error. */
  run(
    view: View,
    body: () => Payload | Promise<Payload>,
    isAnswer: IsAnswer,
  ): Payload | Promise<Payload> {
    const known = this.recall(view);
    if (known !== undefined) return known;
    this.#keepError(view, isAnswer);
    const keep = (result: Payload) => {
      this.#keep(view, result);
      return result;
    };
    const result = body();
    return result instanceof Promise ? result.then(keep) : keep(result);
  }

  /**
   * Keeps what a body has come to that has run already.
   *
   * @returns Whether that can stand: nothing was answered before.
   */
  settle(view: View, outcome: Outcome, isAnswer: IsAnswer): boolean {
    if (view.open(this.#id).request !== undefined) return false;
    this.#keepError(view, isAnswer);
    if ("value" in outcome) this.#keep(view, outcome.value as Payload);
    return true;
  }

  #keep(view: View, result: Payload): void {
    // as text, which is not walked through
    this.#write(view, { result: result.text });
  }

  #keepError(view: View, isAnswer: IsAnswer): void {
    view.onThrow = (error) => {
      if (isAnswer(error)) this.#write(view, { error: keptError(error) });
    };
  }

  #write(view: View, answer: { readonly result: string } | { readonly error: KeptError }): void {
    view.replace(this.#id, { request: this.#asked, ...answer });
    view.expire(this.#id, Date.now() + KEPT_FOR);
  }

  /** The error again: of a handler's own transaction much as it was, since the handler may look at it. */
  #revive(kept: KeptError): Error {
    if ("code" in kept) return MpError.fromData(kept);
    const { name, message } = kept;
    return this.#options.step === undefined
      ? new MpError("handler_failed", message, { reason: "threw" })
      : Object.assign(new Error(message), { name });
  }

  /** What was asked; of a handler's own transaction that is the call's request, too. */
  get #asked(): string {
    const { request, step } = this.#options;
    return this.#fingerprint ??= step === undefined
      ? fingerprint(request)
      : `${fingerprint(request)} ${fingerprint(step.what)}`;
  }

  /** @param kept What was asked when the answer was kept. */
  #reused(kept: string): MpError {
    const { idempotencyKey, request, step } = this.#options;
    const key = JSON.stringify(idempotencyKey);
    if (step === undefined || !kept.startsWith(`${fingerprint(request)} `)) {
      return new MpError(
        "idempotency_key_reused",
        `Cannot answer: another request had the idempotency key ${key}`,
        {
          next: "Give each request a key of its own, and the same one only to make the same again",
        },
      );
    }
    return new MpError(
      "idempotency_key_reused",
      `Cannot run transaction ${step.number} of the call with the idempotency key ${key}: it was over other scopes before`,
      { next: "Let a handler run its transactions in the same order each time" },
    );
  }
}

/** A request is told from others by its hash: it may be large, and is not shown to anybody. */
function fingerprint(text: string): string {
  return [text.length, hash32(text), hash32(text, 1)].map((part) => part.toString(36)).join("-");
}

function keptError(error: unknown): KeptError {
  if (error instanceof MpError) return error.toData();
  return { name: error instanceof Error ? error.name : "Error", message: messageOf(error) };
}
