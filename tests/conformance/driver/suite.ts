/**
 * What every launch driver must do. A driver's test is a factory and one call:
 *
 * ```text
 * driverSuite({ name: "process", capabilities, open: () => ({ driver: processDriver(), … }) });
 * ```
 *
 * @module
 */

import type { Capabilities } from "../../../runtime/launch/driver.ts";
import { stopBundler } from "../../../runtime/script/bundle.ts";
import { type Need, testWith } from "../../support/needs.ts";
import { changes } from "./changes.ts";
import { failures } from "./failures.ts";
import { launches } from "./launches.ts";
import { recoveries } from "./recoveries.ts";
import { type Case, type DriverUnderTest, Stage } from "./stage.ts";

/** The driver to be tested. */
export interface DriverSuiteOptions {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Makes a driver of its own for each case. */
  open(): Promise<DriverUnderTest> | DriverUnderTest;
  /** What the driver needs of the machine; where that is absent, all is skipped, and says why. */
  readonly needs?: Need | readonly Need[];
  /** Cases that are skipped, by name, and why. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** The cases. */
const CASES: readonly Case[] = [...launches, ...changes, ...failures, ...recoveries];

/** Defines the tests of a driver, one for each case. */
export function driverSuite(
  { name, capabilities, open, needs = [], skip = {} }: DriverSuiteOptions,
): void {
  for (const known of Object.keys(skip)) {
    if (!CASES.some((one) => one.name === known)) {
      throw new TypeError(`Cannot skip "${known}": there is no such case`);
    }
  }
  for (const [i, one] of CASES.entries()) {
    const title = `${name} driver: ${one.name}`;
    const body = async () => {
      await using place = await open();
      try {
        await using stage = await Stage.make(place, `case-${i}`);
        await one.run(stage);
      } finally {
        await stopBundler();
      }
    };
    const why = skip[one.name] ?? one.without?.(capabilities);
    if (why !== undefined) Deno.test.ignore(`${title} [skipped: ${why}]`, body);
    else testWith(needs, title, body);
  }
}
