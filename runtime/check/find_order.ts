/**
 * The search for an order of operations. See `linearizable.ts` for what it is.
 *
 * @module
 */

import { Agenda, type Entry } from "./agenda.ts";
import type { Violation } from "./explain.ts";
import type { Operation } from "./history.ts";
import type { Model } from "./model.ts";
import { sameJson } from "./same_json.ts";

/** An operation that may be the next, and the state after it. */
interface Choice<State, Input, Output> {
  readonly entry: Entry<Input, Output>;
  readonly state: State;
}

/** A place in the search: the operations before it are in order, and `state` is what they leave. */
interface Frame<State, Input, Output> {
  readonly state: State;
  /** The operation that leads here. */
  readonly entry: Entry<Input, Output> | undefined;
  /** What is left to try, the last one first. */
  choices: readonly Choice<State, Input, Output>[];
  tried: number;
  /** Whether there is nothing besides to try. */
  isComplete: boolean;
}

/** Why no order was found. */
export interface Failure<State, Input, Output> {
  readonly outcome: "violated" | "undecided";
  readonly violation: Violation<State, Input, Output>;
}

/** How many of the last operations are told. */
const TOLD = 8;

/**
 * Looks for an order.
 *
 * @returns `undefined` when there is one.
 */
export function findOrder<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  steps: number,
): Failure<State, Input, Output> | undefined {
  const agenda = new Agenda(operations);
  const keyOf = (state: State) => model.key?.(state) ?? JSON.stringify(state) ?? "";
  const seen = new Set<string>();
  const frames: Frame<State, Input, Output>[] = [];
  let deepest: Violation<State, Input, Output> | undefined;
  let frameCount = 0;

  const enter = (state: State, entry: Entry<Input, Output> | undefined) => {
    if (agenda.isDone) return;
    const candidates = [...agenda.candidates()];
    const choices = choicesOf(model, state, candidates);
    // what only reads could be put here in every order that there is
    const read = choices.find(({ entry: { operation: { input, returned } } }) =>
      model.isRead?.(input, returned!.output)
    );
    const isLost = model.isPast !== undefined &&
      candidates.some(({ operation }) =>
        model.isPast!(state, operation.input, operation.returned!.output)
      );
    choices.sort((a, b) => a.entry.rank - b.entry.rank);
    frames.push({
      state,
      entry,
      choices: isLost ? [] : read === undefined ? choices : [read],
      tried: 0,
      isComplete: isLost || read !== undefined,
    });
  };

  enter(model.initial, undefined);
  for (let left = steps; !agenda.isDone; left--) {
    const frame = frames.at(-1)!;
    if (left === 0) {
      const violation = deepest ?? violationAt(frames, agenda);
      return { outcome: "undecided", violation };
    }
    if (frame.tried === frame.choices.length && !frame.isComplete) {
      // those that never return come last: mostly they did not happen
      frame.isComplete = true;
      frame.choices = choicesOf(model, frame.state, agenda.pending())
        // what changes nothing here might as well not have happened yet
        .filter(({ state }) => state !== frame.state);
      frame.tried = 0;
    }
    const choice = frame.choices[frame.tried++];
    if (choice !== undefined) {
      agenda.take(choice.entry);
      const key = `${agenda.key}|${keyOf(choice.state)}`;
      if (seen.has(key)) agenda.putBack(choice.entry);
      else {
        seen.add(key);
        enter(choice.state, choice.entry);
      }
      continue;
    }
    // how far it went is seen when it has to turn back there
    // with as little as possible that may not have happened
    const gain = agenda.taken - (deepest?.length ?? -1);
    if (gain > 0 || (gain === 0 && frames.length < frameCount)) {
      deepest = violationAt(frames, agenda);
      frameCount = frames.length;
    }
    frames.pop();
    if (frame.entry === undefined) return { outcome: "violated", violation: deepest! };
    agenda.putBack(frame.entry);
  }
  return undefined;
}

/** Of operations that may be the next, those of which the clients got what the model says. */
function choicesOf<State, Input, Output>(
  model: Model<State, Input, Output>,
  state: State,
  entries: Iterable<Entry<Input, Output>>,
): Choice<State, Input, Output>[] {
  const choices: Choice<State, Input, Output>[] = [];
  for (const entry of entries) {
    const { input, returned } = entry.operation;
    const applied = model.apply(state, input);
    const fits = returned === undefined ||
      (model.accepts?.(applied.output, returned.output) ??
        sameJson(applied.output, returned.output));
    if (fits) choices.push({ entry, state: applied.state });
  }
  return choices;
}

function violationAt<State, Input, Output>(
  frames: readonly Frame<State, Input, Output>[],
  agenda: Agenda<Input, Output>,
): Violation<State, Input, Output> {
  const operation = ({ operation }: Entry<Input, Output>) => operation;
  const returnOf = ({ returned }: Operation<Input, Output>) => returned!.at;
  return {
    length: agenda.taken,
    last: frames.slice(1).slice(-TOLD).map(({ entry }) => operation(entry!)),
    state: frames.at(-1)!.state,
    next: Array.from(agenda.candidates(), operation).sort((a, b) => returnOf(a) - returnOf(b)),
    pending: agenda.pending().length,
  };
}
