/**
 * One transaction on its way from its call to its outcome.
 *
 * @module
 */

import { Timed } from "../peer/deadlines.ts";
import type { State } from "./overlay.ts";
import type { JsonText } from "../storage/storage.ts";
import type { View } from "./view.ts";

/** The user's code of a transaction. It may run several times, each time with a view of its own. */
export type Body<T> = (view: View) => T | Promise<T>;

/** What a body came to, to be told when it has been validated. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** What the body's last run produced. */
export interface Attempt {
  readonly outcome: Outcome;
  readonly reads: ReadonlyMap<string, State>;
  readonly writes: ReadonlyMap<string, WrittenState>;
}

/** A state that waits for its commit, with its text. */
export interface WrittenState {
  readonly state: State;
  /** `undefined` when the scope was removed. */
  readonly text: JsonText | undefined;
}

/**
 * - `running`: its body runs, or waits for its turn or for another try;
 * - `waiting`: it waits for the next request;
 * - `flying`: it is in a request;
 * - `settled`: its outcome has been told.
 */
export type Stage = "running" | "waiting" | "flying" | "settled";

/** See the module's documentation. */
export class Transaction extends Timed {
  stage: Stage = "running";
  attempt: Attempt | undefined;
  /** How often storage has refused it. */
  refusals = 0;

  constructor(
    readonly body: Body<unknown>,
    /** The scopes that it is known to touch, before it has run. */
    readonly known: ReadonlySet<string>,
    readonly resolve: (value: unknown) => void,
    readonly reject: (error: unknown) => void,
    readonly onExpire: (transaction: Transaction) => void,
  ) {
    super();
  }

  /** The scopes that its last run touched. */
  get scopes(): Iterable<string> {
    return this.attempt!.reads.keys();
  }

  override expire(): void {
    this.onExpire(this);
  }
}
