// Registers, counters and accounts on four replicas: what the fault tests call.
import * as mp from "@metaparticle/mp";

type Request =
  | { op: "write"; scope: string; mark: string }
  | { op: "read"; scope: string }
  | { op: "compareAndSet"; scope: string; expected: string | null; mark: string }
  | { op: "hit"; scope: string }
  | { op: "add"; scope: string; ledger: string; mark: string }
  | { op: "sum"; scope: string }
  | { op: "open"; accounts: string[]; balance: number }
  | { op: "transfer"; from: string; to: string; amount: number; mark: string }
  | { op: "snapshot"; accounts: string[] }
  | { op: "marks"; ledger: string };

/** How many changes are remembered, so that whoever sees something tells what came before. */
const REMEMBERED = 32;

/** Notes one change more. */
function change(scope: { changes?: number; last?: string[] }, mark: string): void {
  scope.changes = (scope.changes ?? 0) + 1;
  scope.last = [...(scope.last ?? []), mark].slice(-REMEMBERED);
}

/** What is to be seen: what somebody is told must not change any more. */
const seen = ({ changes = 0, last = [] }) => [changes, [...last]] as const;

async function answer(request: Request): Promise<unknown> {
  switch (request.op) {
    case "write": {
      const register = mp.scope[request.scope];
      const before = seen(register);
      change(register, request.mark);
      return [...before, true];
    }
    case "read":
      return [...seen(mp.scope[request.scope]), false];
    case "compareAndSet": {
      const register = mp.scope[request.scope];
      const before = seen(register);
      const isSet = (before[1].at(-1) ?? null) === request.expected;
      if (isSet) change(register, request.mark);
      return [...before, isSet];
    }
    case "hit": {
      // as people wrote it for the original
      const counter = mp.scope[request.scope];
      if (!counter.count) counter.count = 0;
      counter.count++;
      return counter.count;
    }
    case "add":
      return await mp.scoped([request.scope, request.ledger], async (counter, ledger) => {
        counter.count = (counter.count ?? 0) + 1;
        // others run meanwhile
        await Promise.resolve();
        (ledger.marks ??= []).push(request.mark);
        return counter.count;
      });
    case "sum":
      return mp.scope[request.scope].count ?? 0;
    case "open":
      return await mp.scoped(request.accounts, (...accounts) => {
        for (const account of accounts) account.balance ??= request.balance;
      });
    case "transfer":
      return await mp.scoped([request.from, request.to], (from, to) => {
        const { amount, mark } = request;
        const before = [[...seen(from), from.balance], [...seen(to), to.balance]];
        if (from.balance < amount) throw new Error(JSON.stringify(before[0]));
        change(from, mark);
        change(to, mark);
        from.balance -= amount;
        to.balance += amount;
        return before;
      });
    case "snapshot":
      return await mp.scoped(
        request.accounts,
        (...accounts) => accounts.map((account) => [...seen(account), account.balance]),
      );
    case "marks":
      return mp.scope[request.ledger].marks ?? [];
  }
}

mp.service("faults", mp.spread({ replicas: 4, target: answer, strategy: "random", expose: true }));
mp.serve();
