/**
 * Says of a history that is not linearizable where it goes wrong.
 *
 * @module
 */

import type { Operation } from "./history.ts";

/** How far a search for an order came. */
export interface Violation<State, Input, Output> {
  /** How many operations that returned are in the longest order that was found. */
  readonly length: number;
  /** The last of them. */
  readonly last: readonly Operation<Input, Output>[];
  /** The state after them. */
  readonly state: State;
  /**
   * The operations one of which would have to be the next. None fits, or what fits leads nowhere. The first is the one
   * that returned first: all that could come before it was called before it returned.
   */
  readonly next: readonly Operation<Input, Output>[];
  /** How many operations that are not known to have returned could have happened, too. */
  readonly pending: number;
}

/** How many operations are shown. */
const SHOWN = 12;

/** A violation in words, in several lines. */
export function explain<State, Input, Output>(
  { length, last, state, next, pending }: Violation<State, Input, Output>,
  part: string | undefined,
): string {
  return [
    `No order explains what the clients got${part === undefined ? "" : ` of ${part}`}.`,
    `The longest has ${length} ${length === 1 ? "operation" : "operations"}` +
    `${last.length > 0 ? ", at last:" : "."}`,
    ...last.map(line),
    `After them the state is ${text(state)}, and none of these leads on:`,
    ...next.slice(0, SHOWN).map(line),
    ...(next.length > SHOWN ? [`  and ${next.length - SHOWN} more`] : []),
    ...(pending > 0
      ? [
        `Nor does ${
          pending === 1 ? "an operation" : `any of ${pending} operations`
        } without a return that may have happened.`,
      ]
      : []),
  ].join("\n");
}

function line<Input, Output>({ client, input, called, returned }: Operation<Input, Output>) {
  const end = returned === undefined ? "?" : `${returned.at}: ${text(returned.output)}`;
  return `  ${client}: ${text(input)}, called at ${called}, returned at ${end}`;
}

function text(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 300 ? `${json.slice(0, 300)}…` : json;
}
