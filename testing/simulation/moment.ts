/**
 * What is stored at one moment of a run.
 *
 * @module
 */

import type { MemoryData } from "../../drivers/storage/memory.ts";
import { decodeKey, encodeKey, encodeNamespace, scopeKey } from "../../runtime/storage/key.ts";
import type { Moment } from "./simulate_options.ts";

/** Looks into the storage `memory`, past everything that lies between replicas and it. */
export function momentOf({ records }: MemoryData, app: string, now: () => number): Moment {
  const prefix = `${encodeNamespace(app)}:`;
  return {
    now,
    scope<T>(name: string) {
      const text = records.get(prefix + encodeKey(scopeKey(name)))?.value;
      return text === undefined || text === null ? undefined : JSON.parse(text) as T;
    },
    scopes() {
      const names: string[] = [];
      for (const [full, { value }] of records) {
        if (value === null || !full.startsWith(prefix)) continue;
        const key = decodeKey(full.slice(prefix.length));
        if (key[0] === "scope" && key.length === 2) names.push(key[1]!);
      }
      return names.sort();
    },
  };
}
