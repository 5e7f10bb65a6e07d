/**
 * Turns what a backend tells of a record into what is seen from outside.
 *
 * @module
 */

import type { EncodedVersion } from "./backend.ts";
import type { JsonText, Key, Versioned } from "./storage.ts";

/** The state of a key. */
export function versioned(
  key: Key,
  { version, value }: { readonly version: EncodedVersion; readonly value: JsonText | null },
): Versioned {
  return { key, version: version === "" ? null : version, value: value ?? undefined };
}
