/**
 * The checkers of histories as assertions.
 *
 * @module
 */

import { checkConserved } from "../runtime/check/conserved.ts";
import { type Asked, checkExactlyOnce } from "../runtime/check/exactly_once.ts";
import type { Operation } from "../runtime/check/history.ts";
import { checkLinearizable, type CheckOptions } from "../runtime/check/linearizable.ts";
import type { Model } from "../runtime/check/model.ts";

/** A history that is not as a test asserts. Test runners show it as a failed assertion. */
export class HistoryAssertionError extends Error {
  override readonly name = "AssertionError";
}

/**
 * Asserts that there is an order of all operations, each at one moment between its call and its return, in
 * which a model gives every answer that was given.
 *
 * @param model What is right, one operation after the other.
 * @param operations What clients did and got, see {@linkcode History}.
 * @throws {HistoryAssertionError} Where it goes wrong, also when that could not be decided.
 */
export function assertLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: Iterable<Operation<Input, Output>>,
  options?: CheckOptions<Input>,
): void {
  const verdict = checkLinearizable(model, operations, options);
  if (verdict.outcome !== "linearizable") throw new HistoryAssertionError(verdict.message);
}

/**
 * Asserts that parts always add up to the same.
 *
 * @param total What they add up to.
 * @param snapshots The parts, each time that all of them were seen at one moment.
 */
export function assertConserved(total: number, ...snapshots: readonly (readonly number[])[]): void {
  report("Cannot accept the sums", checkConserved(total, snapshots));
}

/**
 * Asserts that what was acknowledged happened once, and what may have happened at most once.
 *
 * @param asked The marks of what was asked for.
 * @param found The marks that are there.
 */
export function assertExactlyOnce(asked: Asked, found: Iterable<string>): void {
  report("Cannot accept what happened", checkExactlyOnce(asked, found));
}

function report(what: string, wrong: readonly string[]): void {
  if (wrong.length > 0) throw new HistoryAssertionError(`${what}: ${wrong.join("\n")}`);
}
