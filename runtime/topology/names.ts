/**
 * Names that a script may give.
 *
 * @module
 */

import { MpError } from "../errors.ts";

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** The name of the part that the runtime adds when several replicas share the deployment's door. */
export const INGRESS = "ingress";

/** Whether `name` is a DNS label: 1 to 63 of `a-z`, `0-9` and `-`, no `-` at either end (RFC 1123). */
export function isDnsLabel(name: string): boolean {
  return DNS_LABEL.test(name);
}

/** Checks the name of a service. @throws {MpError} `topology_invalid`; {TypeError} when it is no string. */
export function checkServiceName(name: string): void {
  if (typeof name !== "string") {
    throw new TypeError(`Cannot make a service: its name is ${typeof name}, not a string`);
  }
  if (!isDnsLabel(name)) {
    throw new MpError(
      "topology_invalid",
      `Cannot make service ${JSON.stringify(name)}: the name is not a DNS label`,
      { next: "Use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or a digit" },
    );
  }
  if (name === INGRESS) {
    throw new MpError(
      "topology_invalid",
      `Cannot make service "${INGRESS}": the name is reserved`,
      {
        next: "Choose another name",
      },
    );
  }
}

/** Checks a number of replicas. @throws {RangeError} Unless it is a whole number from 1 to 10,000. */
export function checkReplicas(replicas: number, what: string): void {
  if (typeof replicas !== "number") {
    throw new TypeError(
      `Cannot make ${what}: the number of replicas is ${typeof replicas}, not a number`,
    );
  }
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 10_000) {
    throw new RangeError(
      `Cannot make ${what}: ${replicas} is not a whole number of replicas from 1 to 10000`,
    );
  }
}
