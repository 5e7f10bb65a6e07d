// Many clients of four transactors on one storage, under faults: what they do and get is linearizable.
import { assert, assertEquals } from "@std/assert";
import { memoryData } from "../../../drivers/storage/memory.ts";
import { checkConserved } from "../../../runtime/check/conserved.ts";
import { type Call, History } from "../../../runtime/check/history.ts";
import { checkLinearizable } from "../../../runtime/check/linearizable.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { Body } from "../../../runtime/transact/transaction.ts";
import { Transactor } from "../../../runtime/transact/transactor.ts";
import {
  type Account,
  bank,
  type BankAnswer,
  type BankRequest,
  trailsOfBank,
} from "../../e2e/faults/models.ts";
import { changed, withoutUnseen } from "../../e2e/faults/trail.ts";
import { type Seeded, seeded } from "../../support/seeded.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { FlakyStorage } from "./flaky_storage.ts";
import { scopeId } from "./scripted_storage.ts";

const REPLICAS = 4;
const CLIENTS = 32;
const OPERATIONS = 800;
const ACCOUNTS = ["a", "b", "c", "d", "e"];
const BALANCE = 20;

interface Replica {
  readonly storage: FlakyStorage;
  readonly transactor: Transactor;
  readonly died: PromiseWithResolvers<"died">;
}

/** What a body threw for what it saw. */
class Short extends Error {
  constructor(readonly account: Account) {
    super("too little");
  }
}

function bodyOf(request: BankRequest, random: Seeded): Body<BankAnswer> {
  return (view) => {
    const account = (name: string): Account => {
      const { changes = 0, last = [], balance = BALANCE } = view.open(scopeId(name));
      return [changes, [...last], balance];
    };
    const move = (name: string, amount: number, mark: string) => {
      const [moves, last, balance] = account(name);
      const [changes, marks] = changed([moves, last], mark);
      Object.assign(view.open(scopeId(name)), { changes, last: marks, balance: balance + amount });
    };
    if (request.op === "snapshot") return request.accounts.map(account);
    const { amount, mark } = request;
    const seen = [account(request.from), account(request.to)];
    if (seen[0]![2] < amount) throw new Short(seen[0]!);
    const write = () => {
      move(request.from, -amount, mark);
      move(request.to, amount, mark);
      return seen;
    };
    // some bodies wait for something
    if (random.next() < 0.7) return write();
    return new Promise((resolve) => setTimeout(resolve, random.between(0, 10))).then(write);
  };
}

async function run(seed: number): Promise<{ wrong: string[]; ends: Map<string, number> }> {
  using clock = new VirtualClock();
  const random = seeded(seed);
  const data = memoryData();
  const ends = new Map<string, number>();
  const history = new History<BankRequest, BankAnswer>();
  const start = (): Replica => {
    const storage = new FlakyStorage(data, random);
    const transactor = new Transactor({ storage, random: random.next });
    return { storage, transactor, died: Promise.withResolvers() };
  };
  const replicas = Array.from({ length: REPLICAS }, start);
  const dead: Replica[] = [];
  let answered = 0;

  function conclude(call: Call<BankAnswer>, request: BankRequest, error: unknown): string {
    if (error instanceof Short) {
      call.returned({ short: error.account });
      return "short";
    }
    if (!(error instanceof MpError)) throw error;
    const isSure = ["storage_unavailable", "scope_conflict"].includes(error.code);
    if (isSure || request.op === "snapshot") call.failed();
    return error.code;
  }

  async function client(id: number): Promise<void> {
    for (let number = 0; answered < OPERATIONS; number++) {
      const mark = `${id}-${number}`;
      const [from, to] = random.shuffled(ACCOUNTS);
      const request: BankRequest = random.next() < 0.2
        ? { op: "snapshot", accounts: ACCOUNTS }
        : { op: "transfer", from: from!, to: to!, amount: random.between(1, 8), mark };
      const { transactor, died } = replicas[random.between(0, REPLICAS - 1)]!;
      const call = history.call(mark, request);
      const timeout = random.next() < 0.1 ? random.between(10, 200) : 30_000;
      let end = "answered";
      try {
        const result = await Promise.race([
          transactor.run(bodyOf(request, random), { timeout }),
          died.promise,
        ]);
        if (result === "died") end = result;
        else call.returned(result);
      } catch (error) {
        end = conclude(call, request, error);
      }
      ends.set(end, (ends.get(end) ?? 0) + 1);
      if (end === "answered" || end === "short") answered++;
      // time passes for whoever is refused at once
      else await new Promise((resolve) => setTimeout(resolve, random.between(1, 20)));
    }
  }

  async function harm(): Promise<void> {
    while (answered < OPERATIONS) {
      await new Promise((resolve) => setTimeout(resolve, random.between(20, 300)));
      const at = random.between(0, REPLICAS - 1);
      const victim = replicas[at]!;
      if (random.next() < 0.5) {
        victim.storage.isDead = true;
        victim.died.resolve("died");
        dead.push(victim);
        replicas[at] = start();
      } else {
        victim.storage.isAway = true;
        await new Promise((resolve) => setTimeout(resolve, random.between(20, 600)));
        victim.storage.isAway = false;
      }
    }
  }

  let isOver = false;
  const all = Promise.all([harm(), ...Array.from({ length: CLIENTS }, (_, id) => client(id))]);
  all.finally(() => isOver = true).catch(() => {});
  while (!isOver) await clock.pass(50);
  await all;
  for (const { transactor } of [...replicas, ...dead]) {
    const closing = transactor.close();
    await clock.pass(1_000);
    await closing;
  }
  const { operations } = history;
  const snapshots = operations.flatMap(({ input, returned }) =>
    input.op === "snapshot" && returned !== undefined
      ? [(returned.output as readonly Account[]).map(([, , balance]) => balance)]
      : []
  );
  const verdict = checkLinearizable(
    bank(ACCOUNTS, BALANCE),
    withoutUnseen(operations, trailsOfBank),
  );
  return {
    wrong: [
      ...checkConserved(ACCOUNTS.length * BALANCE, snapshots),
      ...(verdict.outcome === "linearizable" ? [] : [verdict.message]),
    ],
    ends,
  };
}

/** What must have happened, or nothing is shown. */
const ENDS = ["answered", "short", "died", "commit_unknown"];

Deno.test("Transactor.run() is linearizable under faults of storage and replicas", async () => {
  const seen = new Set<string>();
  // sessions are random, so that what happens with a seed is not always the same
  for (let seed = 1; seed <= 3 || (!ENDS.every((end) => seen.has(end)) && seed <= 50); seed++) {
    const { wrong, ends } = await run(seed);
    assertEquals(wrong, [], `with seed ${seed}`);
    for (const end of ends.keys()) seen.add(end);
  }
  for (const end of ENDS) assert(seen.has(end), `none was "${end}"`);
});
