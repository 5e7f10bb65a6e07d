/**
 * What registers, counters and accounts do when only one client at a time uses them.
 *
 * Each state counts its changes, and each output tells the count: so a search for an order knows which outputs are past.
 *
 * @module
 */

import type { CounterInput } from "../../../runtime/check/counter.ts";
import type { Model } from "../../../runtime/check/model.ts";

/** What is asked of a register. */
export type RegisterRequest =
  | { readonly op: "write"; readonly scope: string; readonly value: string }
  | { readonly op: "read"; readonly scope: string }
  | {
    readonly op: "compareAndSet";
    readonly scope: string;
    readonly expected: string | null;
    readonly value: string;
  };
/** The number of changes, and what was read, or whether it was set. */
export type RegisterAnswer = readonly [changes: number, value: string | boolean | null];

type RegisterState = readonly [changes: number, value: string | null];

/** A register that counts its changes. */
export const registers: Model<RegisterState, RegisterRequest, RegisterAnswer> = {
  initial: [0, null],
  apply(state, request) {
    const [changes, value] = state;
    if (request.op === "read") return { state, output: state };
    if (request.op === "compareAndSet" && value !== request.expected) {
      return { state, output: [changes, false] };
    }
    return { state: [changes + 1, request.value], output: [changes + 1, true] };
  },
  isRead: ({ op }, [, value]) => op === "read" || value === false,
  isPast: ([changes], { op }, [seen, value]) =>
    seen < changes + (op !== "read" && value === true ? 1 : 0),
};

/** What is asked of a counter. */
export type CounterRequest =
  | { readonly op: "hit"; readonly scope: string }
  | { readonly op: "add"; readonly scope: string; readonly ledger: string; readonly mark: string }
  | { readonly op: "sum"; readonly scope: string };

/** A request to a counter, as its model takes it. */
export function counterInput({ op, scope }: CounterRequest): CounterInput & { scope: string } {
  return op === "sum" ? { op: "read", scope } : { op: "add", amount: 1, scope };
}

/** What is asked of the bank. */
export type BankRequest =
  | { readonly op: "transfer"; readonly from: string; readonly to: string; readonly amount: number }
  | { readonly op: "snapshot"; readonly accounts: readonly string[] };

/** An account: how often money moved, and how much there is. */
type Account = readonly [moves: number, balance: number];
/** For a snapshot all accounts, for a transfer both; what one account holds when that was too little. */
export type BankAnswer =
  | readonly Account[]
  | readonly [number, number, number, number]
  | { readonly short: Account };

/** The accounts of a bank. */
export function bank(
  accounts: readonly string[],
  balance: number,
): Model<readonly Account[], BankRequest, BankAnswer> {
  const places = new Map(accounts.map((account, place) => [account, place]));
  const of = (request: BankRequest & { op: "transfer" }) =>
    [places.get(request.from)!, places.get(request.to)!] as const;
  return {
    initial: accounts.map(() => [0, balance]),
    apply(state, request) {
      if (request.op === "snapshot") return { state, output: state };
      const [from, to] = of(request);
      const [fromMoves, fromBalance] = state[from]!;
      const [toMoves, toBalance] = state[to]!;
      if (fromBalance < request.amount) return { state, output: { short: state[from]! } };
      const after = state.slice();
      after[from] = [fromMoves + 1, fromBalance - request.amount];
      after[to] = [toMoves + 1, toBalance + request.amount];
      return { state: after, output: [...after[from], ...after[to]] };
    },
    isRead: ({ op }, answer) => op === "snapshot" || "short" in answer,
    isPast(state, request, answer) {
      if (request.op === "snapshot") {
        return (answer as readonly Account[]).some(([moves], place) => moves < state[place]![0]);
      }
      const [from, to] = of(request);
      if ("short" in answer) return answer.short[0] < state[from]![0];
      const [fromMoves, , toMoves] = answer as readonly number[];
      return fromMoves! <= state[from]![0] || toMoves! <= state[to]![0];
    },
    key: (state) => state.join(),
  };
}
