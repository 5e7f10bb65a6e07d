/**
 * What every storage must do: one suite, run for each of them by a factory and one call.
 *
 * ```ts
 * testStorage("memory", () => ({ open: (options) => memoryStorage(options), ...}));
 * ```
 *
 * @module
 */

import { type Need, testWith } from "../../support/needs.ts";
import { CLOSING } from "./closing.ts";
import { COMMITS } from "./commits.ts";
import { CONCURRENCY } from "./concurrency.ts";
import { EXPIRY } from "./expiry.ts";
import { type Case, Connections, type StorageUnderTest } from "./harness.ts";
import { NAMES } from "./names.ts";
import { ORIGINAL } from "./original.ts";
import { OUTAGES } from "./outages.ts";
import { REPEATS } from "./repeats.ts";
import { SCANS } from "./scans.ts";
import { VALUES } from "./values.ts";
import { WATCHES } from "./watches.ts";

const CASES: readonly Case[] = [
  ...COMMITS,
  ...REPEATS,
  ...NAMES,
  ...VALUES,
  ...EXPIRY,
  ...SCANS,
  ...WATCHES,
  ...CONCURRENCY,
  ...CLOSING,
  ...ORIGINAL,
  ...OUTAGES,
];

/** What is tested, and what it needs. */
export interface StorageSuiteOptions {
  /** Programs that must be there; see `testWith()`. */
  readonly needs?: Need | readonly Need[];
  /** Cases that do not hold for this storage, by their name, and why. */
  readonly skip?: Readonly<Record<string, string>>;
}

/**
 * Tests a storage.
 *
 * @param name What is tested, for the test's name.
 * @param start Makes the place where data is, once for the whole suite.
 */
export function testStorage(
  name: string,
  start: () => Promise<StorageUnderTest> | StorageUnderTest,
  { needs = [], skip = {} }: StorageSuiteOptions = {},
): void {
  testWith(needs, `${name} is a storage`, async (t) => {
    await using place = await start();
    for (const [i, { name, run, needsServer }] of CASES.entries()) {
      const why = skip[name] ??
        (needsServer && place.server === undefined ? "it has no server" : undefined);
      await t.step({
        name: why === undefined ? name : `${name} [skipped: ${why}]`,
        ignore: why !== undefined,
        fn: async () => {
          await using connections = new Connections(place, `case-${i}`);
          await run(connections);
        },
      });
    }
  });
}
