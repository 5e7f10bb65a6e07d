/**
 * The short version of the fault test, which is in every run of the tests. `deno task test:faults` is the long one.
 *
 * @module
 */

import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { runFaults } from "./run_faults.ts";
import { STORAGES } from "./storages.ts";

const SEED = 1;
const OPERATIONS = 600;

/** Runs each fault of a storage, and sees to it that nothing is wrong. @throws {AssertionError} When something is. */
export async function assertFaultless(storage: string): Promise<void> {
  const kinds = Object.keys(STORAGES[storage]!.faults);
  const report = await runFaults({
    storage,
    seed: SEED,
    operations: OPERATIONS,
    faults: kinds.length,
    longest: 200,
  });
  assertEquals(report.wrong, []);
  assertGreaterOrEqual(report.answered, OPERATIONS);
  assertEquals([...report.faults.keys()].sort(), kinds.sort());
}
