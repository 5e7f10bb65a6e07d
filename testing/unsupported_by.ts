/**
 * What a driver says that it cannot do.
 *
 * @module
 */

import { MpError } from "../runtime/errors.ts";

/** The error for what a driver cannot do. @param what `drop messages` */
export function unsupportedBy(driver: string, what: string, why: string): MpError {
  return new MpError("unsupported", `Cannot ${what} with the ${driver} driver: ${why}`, {
    next: 'Start the topology with the memory driver, start(script, { driver: "memory" })',
  });
}
