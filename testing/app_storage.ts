/**
 * Scopes as a test reads and seeds them.
 *
 * @module
 */

import { MpError } from "../runtime/errors.ts";
import { Payload } from "../runtime/payload.ts";
import { scopeKey } from "../runtime/storage/key.ts";
import type { Mutation, Storage } from "../runtime/storage/storage.ts";
import { newSession } from "../runtime/storage/version.ts";
import type { AppStorage } from "./app.ts";

/** Reads and writes scopes of a storage, past all faults. */
export function scopeAccess(storage: Storage): Pick<AppStorage, "read" | "seed" | "scopes"> {
  const session = newSession();
  let seq = 0;
  return {
    async read<T>(scope: string) {
      const [found] = await storage.read([scopeKey(scope)]);
      return found?.value === undefined ? undefined : JSON.parse(found.value) as T;
    },
    async scopes() {
      const names: string[] = [];
      for await (const { key } of storage.scan({ prefix: ["scope"] })) {
        // those of users have a name more
        if (key.length === 2) names.push(key[1]!);
      }
      return names;
    },
    async seed(documents) {
      const mutations = Object.entries(documents).map(([scope, document]): Mutation => ({
        op: "put",
        key: scopeKey(scope),
        value: textOf(scope, document),
      }));
      if (mutations.length === 0) return;
      await storage.commit([{ session, seq: ++seq, checks: [], mutations }]);
    },
  };
}

function textOf(scope: string, document: unknown): string {
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new TypeError(
      `Cannot seed scope "${scope}": a scope is an object whose members are JSON`,
    );
  }
  try {
    return Payload.encode(document).text;
  } catch (error) {
    if (!(error instanceof MpError)) throw error;
    throw new TypeError(`Cannot seed scope "${scope}": ${error.message}`);
  }
}
