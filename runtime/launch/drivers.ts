/**
 * Launch drivers by name. Types only.
 *
 * @module
 */

import type { Driver } from "./driver.ts";

/** Launch drivers by name; each is loaded when it is asked for. */
export type Drivers = Readonly<Record<string, () => Promise<Driver>>>;
