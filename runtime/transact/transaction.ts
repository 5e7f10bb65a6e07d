/**
 * One transaction on its way from its call to its outcome.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { MpError } from "../errors.ts";
import { Timed } from "../peer/deadlines.ts";
import type { Dependent } from "../replica/call_context.ts";
import type { State } from "./overlay.ts";
import type { Turn } from "./turns.ts";
import type { View, Written } from "./view.ts";

/** The user's code of a transaction. It may run several times, each time with a view of its own. */
export type Body<T> = (view: View) => T | PromiseLike<T>;

/** What a body came to, to be told when it has been validated. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** What the body's last run produced. */
export interface Attempt {
  readonly outcome: Outcome;
  readonly reads: ReadonlyMap<string, State>;
  readonly writes: ReadonlyMap<string, Written>;
}

/**
 * - `running`: its body runs, or waits for its turn;
 * - `waiting`: its scopes are left to other replicas for a while;
 * - `ready`: it waits for the next request;
 * - `flying`: it is in a request;
 * - `settled`: its outcome has been told.
 */
export type Stage = "running" | "waiting" | "ready" | "flying" | "settled";

/** What a transaction is made of. */
export interface TransactionOptions {
  readonly body: Body<unknown>;
  /** The scopes that it is known to touch, before it has run. */
  readonly scopes: readonly string[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onExpire: (transaction: Transaction) => void;
  /** The call of which it is part. */
  readonly caller: Caller | undefined;
  readonly onCancel: (transaction: Transaction, reason: MpError) => void;
}

/** A call that knows what is done for it, and cancels that when nobody waits for its answer any more. */
export interface Caller {
  /** Why nobody waits. */
  readonly cancelled: MpError | undefined;
  adopt(dependent: Dependent): void;
  release(dependent: Dependent): void;
}

/** See the module's documentation. */
export class Transaction extends Timed implements Dependent {
  stage: Stage = "running";
  attempt: Attempt | undefined;
  /** The view of the run that is under way. */
  view: View | undefined;
  /** The turn of the run that is under way, if it has one. */
  turn: Turn | undefined;
  /** How often storage has refused it. */
  refusals = 0;
  /** How often others of this replica came in between. */
  overtaken = 0;
  /** How much time it has left when it is told that it has none, in milliseconds. */
  reserved = 0;
  /** Whether its deadline has passed, and only what becomes of its request is waited for. */
  isLate = false;
  /** @internal */ previousDependent: Dependent | undefined = undefined;
  /** @internal */ nextDependent: Dependent | undefined = undefined;
  readonly options: TransactionOptions;
  /** Runs code as part of what the transaction was called from: a later run may be caused by another call. */
  readonly within: <R>(code: () => R) => R = AsyncLocalStorage.snapshot();

  constructor(options: TransactionOptions) {
    super();
    this.options = options;
  }

  /** The scopes that it will touch, as far as is known: what it touched last, it will most likely touch again. */
  get scopes(): Iterable<string> {
    const { scopes } = this.options;
    if (this.attempt === undefined) return scopes;
    return new Set([...scopes, ...this.attempt.reads.keys()]);
  }

  /** Whether it is to write something. */
  get writes(): boolean {
    return this.attempt !== undefined && this.attempt.writes.size > 0;
  }

  cancel(reason: MpError): void {
    this.options.onCancel(this, reason);
  }

  override expire(): void {
    this.options.onExpire(this);
  }
}
