/**
 * The model of scopes: documents that transactions read and change, several at once.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import type { Model } from "./model.ts";
import { sameJson } from "./same_json.ts";

/** The documents of scopes, by their names. One that is not there has no members. */
export type Documents = Readonly<Record<string, Document>>;

/** The document of one scope, which is JSON. */
// deno-lint-ignore no-explicit-any -- what a scope holds is up to the transactions
export type Document = Record<string, any>;

/** What a transaction came to. */
export type ScopesOutput = { readonly result: unknown } | { readonly error: string };

/** Options of {@linkcode scopesModel}. */
export interface ScopesModelOptions<Input> {
  readonly initial?: Documents;
  readonly isRead?: (input: Input) => boolean;
}

/**
 * Scopes that are changed by transactions, each at one moment.
 *
 * @param run What a transaction does, given scopes that may be changed in place: the very code that the handler runs. When it
 * throws, nothing is changed, and its output is the error's message.
 * @param options `initial`: the documents at first, default none; `isRead`: which transactions only read, which makes
 * checking them far faster.
 *
 * @example Accounts between which money is moved
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { scopesModel } from "@metaparticle/mp/testing";
 *
 * type Transfer = { from: string; to: string; amount: number };
 * const accounts = scopesModel((scopes, { from, to, amount }: Transfer) => {
 *   if (scopes[from]!.balance < amount) throw new Error("too little");
 *   scopes[from]!.balance -= amount;
 *   scopes[to]!.balance += amount;
 *   return scopes[from]!.balance;
 * }, { initial: { a: { balance: 10 }, b: { balance: 10 } } });
 * const { output } = accounts.apply(accounts.initial, { from: "a", to: "b", amount: 3 });
 * assertEquals(output, { result: 7 });
 * ```
 */
export function scopesModel<Input>(
  run: (scopes: Record<string, Document>, input: Input) => unknown,
  { initial = {}, isRead = () => false }: ScopesModelOptions<Input> = {},
): Model<Documents, Input, ScopesOutput> {
  return {
    initial,
    // a body that throws has changed nothing
    isRead: (input, output) => "error" in output || isRead(input),
    apply(state, input) {
      const opened: Record<string, Document> = Object.create(null);
      const scopes = new Proxy(opened, {
        get: (_target, name) =>
          typeof name === "string"
            ? opened[name] ??= structuredClone(state[name] ?? {})
            : undefined,
      });
      let output: ScopesOutput;
      try {
        // what it returns may be part of a document
        output = { result: structuredClone(run(scopes, input)) };
      } catch (error) {
        return { state, output: { error: messageOf(error) } };
      }
      const changed = Object.entries(opened)
        .filter(([name, document]) => !sameJson(document, state[name] ?? {}));
      return { state: changed.length === 0 ? state : after(state, changed), output };
    },
  };
}

/** Documents with some in place of others, in the order of their names: the same documents are the same text. */
function after(state: Documents, changed: [string, Document][]): Documents {
  const all = Object.entries({ ...state, ...Object.fromEntries(changed) });
  return Object.fromEntries(all.sort(([a], [b]) => a < b ? -1 : 1));
}
