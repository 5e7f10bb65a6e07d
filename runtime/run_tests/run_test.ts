/**
 * Runs one test with its steps.
 *
 * @module
 */

import { positionOf } from "../script/stack.ts";
import { readDefinition, type TestContext, type TestDefinition } from "./test_definition.ts";
import type { TestListener, TestOutcome } from "./test_outcome.ts";

/** What surrounds a test. */
export interface TestSurroundings {
  /** The URL of the file. */
  readonly origin: string;
  readonly listener: TestListener;
  /** The timers that wait now. */
  readonly timers: ReadonlySet<unknown>;
  /** Whether timers that a test leaves are an error, unless it says otherwise. */
  readonly sanitizeOps: boolean;
  /** Rejects when an error is thrown that nobody catches. */
  readonly uncaught: Promise<never>;
}

/** The test of which something is a step. */
interface Above {
  readonly context: TestContext;
  /** How many there are above. */
  readonly depth: number;
  /** Whether it has ended; what its steps come to then is nobody's business. */
  readonly isOver: () => boolean;
}

/** Runs a test, or a step of one. @throws What nobody caught, which ends the whole file. */
export async function runTest(
  definition: TestDefinition,
  surroundings: TestSurroundings,
  above?: Above,
): Promise<TestOutcome> {
  const { name, ignore, fn, position } = definition;
  const { origin, listener, timers, uncaught } = surroundings;
  const depth = above?.depth ?? 0;
  const tell = (outcome: TestOutcome): TestOutcome => {
    if (!above?.isOver()) listener.ends(outcome, depth);
    return outcome;
  };
  if (ignore) return tell({ name, status: "ignored", took: 0, position, steps: [] });
  const steps: TestOutcome[] = [];
  const running = new Set<TestDefinition>();
  let isOver = false;
  const context: TestContext = {
    name,
    origin,
    ...(above && { parent: above.context }),
    async step(first, second) {
      if (isOver) {
        throw new Error("Cannot run test step after parent scope has finished execution");
      }
      const step = readDefinition("step", [first, second], positionOf(new Error()));
      running.add(step);
      if (steps.length === 0 && running.size === 1) listener.begins(name, depth);
      const here = { context, depth: depth + 1, isOver: () => isOver };
      const outcome = await runTest(step, surroundings, here);
      running.delete(step);
      if (!isOver) steps.push(outcome);
      return outcome.status !== "failed";
    },
  };
  const before = new Set(timers);
  const began = performance.now();
  let error: unknown;
  let hasThrown = false;
  try {
    await Promise.race([uncaught, (async () => await fn(context))()]);
  } catch (thrown) {
    // what nobody caught is no error of this test
    await Promise.race([uncaught, Promise.resolve()]);
    [error, hasThrown] = [thrown, true];
  }
  isOver = true;
  for (const { name, position } of running) {
    const incomplete = incompleteStep(name, position);
    steps.push(incomplete);
    listener.ends(incomplete, depth + 1);
  }
  const took = performance.now() - began;
  const common = { name, took, position, steps };
  if (hasThrown) return tell({ ...common, status: "failed", error });
  const failed = steps.filter(({ status }) => status === "failed").length;
  const left = [...timers].filter((timer) => !before.has(timer)).length;
  const why = running.size > 0
    ? "due to incomplete steps"
    : failed > 0
    ? `due to ${failed} failed step${failed === 1 ? "" : "s"}`
    : left > 0 && (definition.sanitizeOps ?? surroundings.sanitizeOps)
    ? `due to ${left} timer${left === 1 ? "" : "s"} that it left: clear them, or wait for them`
    : undefined;
  return tell({ ...common, status: why === undefined ? "ok" : "failed", ...(why && { why }) });
}

function incompleteStep(name: string, position: TestDefinition["position"]): TestOutcome {
  const why = "did not end before its test: wait for it with await t.step(…)";
  return { name, status: "failed", took: 0, why, position, steps: [] };
}
