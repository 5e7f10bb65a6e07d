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
/** The number of changes so far and the value before; for a comparison the changes after, and whether it was set. */
export type RegisterAnswer = readonly [changes: number, value: string | boolean | null];

type RegisterState = readonly [changes: number, value: string | null];

/** A register that counts its changes. */
export const registers: Model<RegisterState, RegisterRequest, RegisterAnswer> = {
  initial: [0, null],
  apply(state, request) {
    const [changes, value] = state;
    const after: RegisterState = [changes + 1, "value" in request ? request.value : null];
    if (request.op === "read") return { state, output: state };
    if (request.op === "write") return { state: after, output: state };
    if (value !== request.expected) return { state, output: [changes, false] };
    return { state: after, output: [changes + 1, true] };
  },
  isRead: ({ op }, [, value]) => op === "read" || value === false,
  isPast([changes, value], request, [seen, output]) {
    const before = output === true ? seen - 1 : seen;
    if (before !== changes) return before < changes;
    // its value changes with the count only
    if (request.op !== "compareAndSet") return value !== output;
    return output !== (value === request.expected);
  },
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
  | {
    readonly op: "transfer";
    readonly from: string;
    readonly to: string;
    readonly amount: number;
    readonly mark: string;
  }
  | { readonly op: "snapshot"; readonly accounts: readonly string[] };

/** An account: how often money moved, how much there is, and the mark of who moved it last. */
export type Account = readonly [moves: number, balance: number, last: string];
/** What was seen: of all accounts, or of both before the transfer, or of one that held too little. */
export type BankAnswer =
  | readonly Account[]
  | readonly [...Account, ...Account]
  | { readonly short: Account };

/** The accounts of a bank. */
export function bank(
  accounts: readonly string[],
  balance: number,
): Model<readonly Account[], BankRequest, BankAnswer> {
  const places = new Map(accounts.map((account, place) => [account, place]));
  return {
    initial: accounts.map(() => [0, balance, ""]),
    apply(state, request) {
      if (request.op === "snapshot") return { state, output: state };
      const { amount, mark } = request;
      const [from, to] = [places.get(request.from)!, places.get(request.to)!];
      const [fromMoves, fromBalance] = state[from]!;
      const [toMoves, toBalance] = state[to]!;
      if (fromBalance < amount) return { state, output: { short: state[from]! } };
      const after = state.slice();
      after[from] = [fromMoves + 1, fromBalance - amount, mark];
      after[to] = [toMoves + 1, toBalance + amount, mark];
      return { state: after, output: [...state[from]!, ...state[to]!] };
    },
    isRead: ({ op }, answer) => op === "snapshot" || "short" in answer,
    isPast(state, request, answer) {
      // an account changes with its moves only, so while these are the same the rest must be
      const cannot = (place: number, [moves, balance, last]: Account) => {
        const now = state[place]!;
        return moves < now[0] || (moves === now[0] && (balance !== now[1] || last !== now[2]));
      };
      if (request.op === "snapshot") {
        return (answer as readonly Account[]).some((account, place) => cannot(place, account));
      }
      const [from, to] = [places.get(request.from)!, places.get(request.to)!];
      if ("short" in answer) return cannot(from, answer.short);
      const seen = answer as readonly [...Account, ...Account];
      return cannot(from, [seen[0], seen[1], seen[2]]) || cannot(to, [seen[3], seen[4], seen[5]]);
    },
    key: (state) => state.join(),
  };
}
