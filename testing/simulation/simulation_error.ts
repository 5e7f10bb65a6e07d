/**
 * A run that failed, for people: what failed, how to see it again, and what happened.
 *
 * @module
 */

import { messageOf } from "../../runtime/errors.ts";
import { type Fault, showFault } from "./fault.ts";
import type { RunOutcome } from "./run_simulation.ts";

/** How many lines of the history are shown in the message. */
const SHOWN = 40;

/** What a simulation found. Its `cause` is what was thrown. */
export class SimulationError extends Error {
  override readonly name = "SimulationError";
  /** Replays the failure: `simulate(script, { seed, … })`. */
  readonly seed: string;
  /** What happened, whole, one line each. */
  readonly history: string;
  /** The faults without which it does not fail. */
  readonly faults: readonly Fault[];
  /** How many faults there were before it was made shorter. */
  readonly faultsBefore: number;

  constructor(
    seed: string,
    { failure, came, history }: RunOutcome,
    faultsBefore: number,
  ) {
    const { error, what } = failure!;
    const shown = history.slice(-SHOWN);
    super(
      [
        `The simulation failed with the seed ${JSON.stringify(seed)}: ${what}: ${messageOf(error)}`,
        `Replay it: simulate(script, { seed: ${JSON.stringify(seed)}, … })`,
        came.length === 0
          ? "No fault was needed."
          : faultsBefore > came.length
          ? `It takes ${count(came.length)}, of ${faultsBefore} that came:`
          : `It takes ${count(came.length)}:`,
        ...came.map((fault) => `  ${showFault(fault)}`),
        shown.length < history.length
          ? `The last ${shown.length} of ${history.length} lines of what happened, in ms (all are in error.history):`
          : "What happened, in ms:",
        ...shown,
      ].join("\n"),
      { cause: error },
    );
    this.seed = seed;
    this.history = history.join("\n");
    this.faults = came;
    this.faultsBefore = faultsBefore;
  }
}

function count(faults: number): string {
  return faults === 1 ? "one fault" : `${faults} faults`;
}
