// Registers, counters and accounts on four replicas: what the fault tests call.
import * as mp from "@metaparticle/mp";

type Request =
  | { op: "write"; scope: string; value: string }
  | { op: "read"; scope: string }
  | { op: "compareAndSet"; scope: string; expected: string | null; value: string }
  | { op: "hit"; scope: string }
  | { op: "add"; scope: string; ledger: string; mark: string }
  | { op: "sum"; scope: string }
  | { op: "open"; accounts: string[]; balance: number }
  | { op: "transfer"; from: string; to: string; amount: number }
  | { op: "snapshot"; accounts: string[] }
  | { op: "marks"; ledger: string };

async function answer(request: Request): Promise<unknown> {
  switch (request.op) {
    // each change of a register is counted, so that whoever sees it tells which one it saw
    case "write": {
      const register = mp.scope[request.scope];
      register.value = request.value;
      register.changes = (register.changes ?? 0) + 1;
      return [register.changes, true];
    }
    case "read": {
      const { changes = 0, value = null } = mp.scope[request.scope];
      return [changes, value];
    }
    case "compareAndSet": {
      const register = mp.scope[request.scope];
      if ((register.value ?? null) !== request.expected) return [register.changes ?? 0, false];
      register.value = request.value;
      register.changes = (register.changes ?? 0) + 1;
      return [register.changes, true];
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
        for (const account of accounts) {
          account.balance ??= request.balance;
          account.moves ??= 0;
        }
      });
    case "transfer":
      return await mp.scoped([request.from, request.to], (from, to) => {
        if (from.balance < request.amount) throw new Error(`short ${from.moves} ${from.balance}`);
        from.balance -= request.amount;
        to.balance += request.amount;
        return [++from.moves, from.balance, ++to.moves, to.balance];
      });
    case "snapshot":
      return await mp.scoped(
        request.accounts,
        (...accounts) => accounts.map(({ moves, balance }) => [moves, balance]),
      );
    case "marks":
      return mp.scope[request.ledger].marks ?? [];
  }
}

mp.service("faults", mp.spread({ replicas: 4, target: answer, strategy: "random", expose: true }));
mp.serve();
