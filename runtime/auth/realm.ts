/**
 * What callers are told to authenticate for.
 *
 * @module
 */

import type { Guard } from "./guard.ts";

/** Checks a realm. @throws {TypeError} When a header cannot carry it. */
export function checkRealm(what: string, realm: unknown): void {
  if (realm === undefined) return;
  if (typeof realm !== "string" || !/^[\x20-\x7e]{1,200}$/.test(realm)) {
    throw new TypeError(`Cannot make ${what}: its realm is not 1 to 200 characters of ASCII`);
  }
}

/** The header `WWW-Authenticate` of a guard. */
export function challengeOf({ scheme, realm }: Guard, service: string): string {
  const quoted = (realm ?? service).replace(/["\\]/g, "\\$&");
  return `${scheme} realm="${quoted}"${scheme === "Basic" ? ', charset="UTF-8"' : ""}`;
}
