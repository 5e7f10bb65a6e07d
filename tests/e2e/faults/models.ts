/**
 * What registers, counters and accounts do when only one client at a time uses them.
 *
 * @module
 */

import type { CounterInput } from "../../../runtime/check/counter.ts";
import type { Model } from "../../../runtime/check/model.ts";
import { changed, mayBecome, type Trail, type TrailsOf } from "./trail.ts";

/** What is asked of a register, which holds the mark of its last change. */
export type RegisterRequest =
  | { readonly op: "write"; readonly scope: string; readonly mark: string }
  | { readonly op: "read"; readonly scope: string }
  | {
    readonly op: "compareAndSet";
    readonly scope: string;
    readonly expected: string | null;
    readonly mark: string;
  };
/** What was seen, and whether it was changed. */
export type RegisterAnswer = readonly [...Trail, isSet: boolean];

/** A register. */
export const registers: Model<Trail, RegisterRequest, RegisterAnswer> = {
  initial: [0, []],
  apply(state, request) {
    const isSet = request.op === "write" ||
      (request.op === "compareAndSet" && (state[1].at(-1) ?? null) === request.expected);
    const output: RegisterAnswer = [...state, isSet];
    return { state: isSet ? changed(state, request.mark) : state, output };
  },
  isRead: (_request, [, , isSet]) => !isSet,
  isPast: (state, _request, [changes, last]) => !mayBecome(state, [changes, last]),
  key: String,
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

/** An account: who moved money, and how much there is. */
export type Account = readonly [...Trail, balance: number];
/** What was seen: of all accounts, or of both before the transfer, or of one that held too little. */
export type BankAnswer = readonly Account[] | { readonly short: Account };

/** The accounts of a bank. */
export function bank(
  accounts: readonly string[],
  balance: number,
): Model<readonly Account[], BankRequest, BankAnswer> {
  const places = new Map(accounts.map((account, place) => [account, place]));
  return {
    initial: accounts.map(() => [0, [], balance]),
    apply(state, request) {
      if (request.op === "snapshot") return { state, output: state };
      const { amount, mark } = request;
      const [from, to] = [places.get(request.from)!, places.get(request.to)!];
      if (state[from]![2] < amount) return { state, output: { short: state[from]! } };
      const after = state.slice();
      after[from] = moved(state[from]!, -amount, mark);
      after[to] = moved(state[to]!, amount, mark);
      return { state: after, output: [state[from]!, state[to]!] };
    },
    isRead: ({ op }, answer) => op === "snapshot" || "short" in answer,
    isPast(state, request, answer) {
      const cannot = (name: string, [moves, last, balance]: Account) => {
        const now = state[places.get(name)!]!;
        return !mayBecome([now[0], now[1]], [moves, last]) ||
          (moves === now[0] && balance !== now[2]);
      };
      if ("short" in answer) return request.op === "transfer" && cannot(request.from, answer.short);
      const names = request.op === "snapshot" ? request.accounts : [request.from, request.to];
      return answer.some((account, place) => cannot(names[place]!, account));
    },
    key: String,
  };
}

function moved([moves, last, balance]: Account, amount: number, mark: string): Account {
  return [...changed([moves, last], mark), balance + amount];
}

/** What operations of registers tell. */
export const trailsOfRegisters: TrailsOf<RegisterRequest, RegisterAnswer> = (
  { input, returned },
) => {
  const [changes, last, isSet] = returned!.output;
  const trail: Trail = isSet && input.op !== "read"
    ? changed([changes, last], input.mark)
    : [changes, last];
  return [[input.scope, trail]];
};

/** What operations of a bank tell. */
export const trailsOfBank: TrailsOf<BankRequest, BankAnswer> = ({ input, returned }) => {
  const answer = returned!.output;
  if ("short" in answer) {
    return input.op === "transfer" ? [[input.from, [answer.short[0], answer.short[1]]]] : [];
  }
  const names = input.op === "snapshot" ? input.accounts : [input.from, input.to];
  return answer.map(([moves, last], place) => [
    names[place]!,
    input.op === "snapshot" ? [moves, last] : changed([moves, last], input.mark),
  ]);
};
