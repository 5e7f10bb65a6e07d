/**
 * Runs the tests of one file, with its hooks.
 *
 * @module
 */

import { toFileUrl } from "@std/path";
import { takeUncaught } from "../script/uncaught.ts";
import { loadTestFile, type TestModules } from "./load_test_file.ts";
import { runTest } from "./run_test.ts";
import type { FileOutcome, TestListener, TestOutcome } from "./test_outcome.ts";
import type { Hook } from "./test_register.ts";

/** How tests are run. */
export interface RunFileOptions {
  readonly modules: TestModules;
  /** Which tests are run, by name. */
  readonly filter: (name: string) => boolean;
  readonly failFast: boolean;
  readonly listener: TestListener;
  readonly signal: AbortSignal;
}

/** Runs one file. What goes wrong is part of the outcome. */
export async function runFile(file: string, options: RunFileOptions): Promise<FileOutcome> {
  const { modules, filter, failFast, listener, signal } = options;
  const uncaught = Promise.withResolvers<never>();
  uncaught.promise.catch(() => {}); // told by whoever waits for it
  const stop = takeUncaught((error) => uncaught.reject(error));
  const outcomes: TestOutcome[] = [];
  let planned = 0;
  let filteredOut = 0;
  let usedOnly = false;
  let failure: { readonly error: unknown } | undefined;
  const run = async (hooks: readonly Hook[]) => {
    for (const hook of hooks) await Promise.race([uncaught.promise, (async () => await hook())()]);
  };
  try {
    const loaded = await Promise.race([uncaught.promise, loadTestFile(file, modules)]);
    const { tests, hooks } = loaded.register;
    usedOnly = tests.some(({ only }) => only);
    const chosen = tests.filter(({ name, only }) => filter(name) && (only || !usedOnly));
    planned = chosen.length;
    filteredOut = tests.length - planned;
    listener.fileBegins(file, planned);
    const surroundings = {
      origin: toFileUrl(file).href,
      listener,
      timers: loaded.timers,
      sanitizeOps: loaded.sanitizeOps,
      uncaught: uncaught.promise,
    };
    if (planned > 0) await run(hooks.beforeAll);
    for (const test of chosen) {
      if (signal.aborted) break;
      if (!test.ignore) await run(hooks.beforeEach);
      const outcome = await runTest(test, surroundings);
      outcomes.push(outcome);
      if (!test.ignore) await run(hooks.afterEach.toReversed());
      if (failFast && outcome.status === "failed") break;
    }
    if (planned > 0) await run(hooks.afterAll.toReversed());
    // rejections that nobody handles are told after the microtasks of this turn
    await Promise.race([uncaught.promise, new Promise((resolve) => setTimeout(resolve, 0))]);
  } catch (error) {
    failure = { error };
  } finally {
    stop();
  }
  const outcome: FileOutcome = {
    file,
    tests: outcomes,
    ...failure,
    cancelled: failure ? planned - outcomes.length : 0,
    filteredOut,
    usedOnly,
  };
  listener.fileEnds(outcome);
  return outcome;
}
