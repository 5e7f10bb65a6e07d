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
  | { op: "transfer"; from: string; to: string; amount: number; mark: string }
  | { op: "snapshot"; accounts: string[] }
  | { op: "marks"; ledger: string };

async function answer(request: Request): Promise<unknown> {
  switch (request.op) {
    // each change of a register is counted, so that whoever sees it tells which one it saw
    case "write": {
      const register = mp.scope[request.scope];
      const { changes = 0, value = null } = register;
      register.changes = changes + 1;
      register.value = request.value;
      return [changes, value];
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
          if (!account.state) account.state = [0, request.balance, ""];
        }
      });
    case "transfer":
      return await mp.scoped([request.from, request.to], (from, to) => {
        const { amount, mark } = request;
        const [fromMoves, fromBalance] = from.state;
        const [toMoves, toBalance] = to.state;
        if (fromBalance < amount) throw new Error(JSON.stringify(from.state));
        const seen = [...from.state, ...to.state];
        from.state = [fromMoves + 1, fromBalance - amount, mark];
        to.state = [toMoves + 1, toBalance + amount, mark];
        return seen;
      });
    case "snapshot":
      return await mp.scoped(
        request.accounts,
        (...accounts) => accounts.map(({ state }) => [...state]),
      );
    case "marks":
      return mp.scope[request.ledger].marks ?? [];
  }
}

mp.service("faults", mp.spread({ replicas: 4, target: answer, strategy: "random", expose: true }));
mp.serve();
