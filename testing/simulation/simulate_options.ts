/**
 * What a simulation is told. Types only.
 *
 * @module
 */

import type { App } from "../app.ts";
import type { StartOptions } from "../start.ts";
import type { FaultKind } from "./fault.ts";

/** A topology in a simulation: as a running one, on virtual time. */
export type SimulatedApp = App;

/** What surrounds the scenario of a run. */
export interface World {
  /** The seed of the run. */
  readonly seed: string;
  /** A number from 0 to 1, drawn from the seed; as is `Math.random()` while a simulation runs. */
  random(): number;
  /** A whole number from 0 to `below - 1`, drawn from the seed. */
  below(below: number): number;
  /** One of some things, drawn from the seed. */
  pick<T>(from: readonly T[]): T;
  /** How long the run has taken, in milliseconds of its own time. */
  now(): number;
  /** Resolves after some milliseconds of the run's own time; as timers do while a simulation runs. */
  delay(milliseconds: number): Promise<void>;
  /** Runs clients side by side, and resolves when all have ended. */
  clients(count: number, client: (index: number) => Promise<void>): Promise<void>;
  /** Adds a line to the history. */
  note(text: string): void;
}

/** What holds at one moment; looked at between two steps, so nothing can be waited for. */
export interface Moment {
  /** The document of a scope, as it is stored; `undefined` when there is none. */
  scope<T = Record<string, unknown>>(name: string): T | undefined;
  /** The names of all scopes that have a document. */
  scopes(): string[];
  /** How long the run has taken, in milliseconds of its own time. */
  now(): number;
}

/** Options of `simulate()`. */
export interface SimulateOptions
  extends Pick<StartOptions, "replicas" | "env" | "name" | "signal"> {
  /**
   * The seed of the first run; the others count on from it. The seed of a failure, as it was told, replays it:
   * `17`, or `"17:2,5"` for the second and fifth fault alone. Default: 1.
   */
  readonly seed?: number | string;
  /** How many runs. Default: 100, and 1 for a seed that is a text. */
  readonly runs?: number;
  /** Which kinds of faults may come. Default: all. `false` for none. */
  readonly faults?: false | readonly FaultKind[];
  /**
   * What clients do, in each run. A call may fail whenever there are faults, so catch what is to be expected; what
   * the scenario throws fails the run.
   */
  scenario(app: SimulatedApp, world: World): Promise<void> | void;
  /** What must hold at each moment. Throw when it does not. */
  always?(moment: Moment): void;
  /**
   * What must come to hold when the scenario has ended and nothing fails any more. It is asked again, for up to
   * a minute of the run's time, as long as it throws or returns `false`.
   */
  eventually?(app: SimulatedApp, moment: Moment): Promise<void | boolean> | void | boolean;
}

/** What became of all runs. */
export interface SimulateResult {
  readonly runs: number;
  /** How many steps were made in all: timers, messages, answers. */
  readonly steps: number;
  /** How many faults came in all. */
  readonly faults: number;
  /** The history of the last run. */
  readonly history: string;
}
