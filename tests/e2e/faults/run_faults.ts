/**
 * A run of the fault test: four replicas on one storage, clients that use them, and faults meanwhile.
 *
 * @module
 */

import { checkConserved } from "../../../runtime/check/conserved.ts";
import { counter, type CounterInput } from "../../../runtime/check/counter.ts";
import { checkExactlyOnce } from "../../../runtime/check/exactly_once.ts";
import type { Operation } from "../../../runtime/check/history.ts";
import { checkLinearizable } from "../../../runtime/check/linearizable.ts";
import { seeded } from "../../support/seeded.ts";
import { launch, type Launched, type Told } from "../launched.ts";
import { Caller } from "./caller.ts";
import { ACCOUNTS, BALANCE, Clients, SERVICE } from "./clients.ts";
import {
  type Account,
  bank,
  type BankAnswer,
  type BankRequest,
  counterInput,
  registers,
  trailsOfBank,
  trailsOfRegisters,
} from "./models.ts";
import { harm } from "./nemesis.ts";
import { STORAGES } from "./storages.ts";
import { withoutUnseen } from "./trail.ts";

/** Options of {@linkcode runFaults}. */
export interface RunFaultsOptions {
  /** `file`, `redis` or `mysql`. */
  readonly storage: string;
  readonly seed: number;
  /** How many operations are to be answered. */
  readonly operations: number;
  /** How many faults there are to be. */
  readonly faults: number;
  /** How long a fault lasts at most, in milliseconds. */
  readonly longest: number;
}

/** What came of a run. */
export interface FaultsReport {
  /** What is wrong; empty when nothing is. */
  readonly wrong: readonly string[];
  readonly answered: number;
  readonly ends: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  readonly seconds: number;
}

const CLIENTS = 32;

/** Runs it. @throws {Error} When a call hangs, or gets an answer that nobody should. */
export async function runFaults(options: RunFaultsOptions): Promise<FaultsReport> {
  const { storage: name, seed, operations, faults, longest } = options;
  const random = seeded(seed);
  const folder = await Deno.makeTempDir({ prefix: "mp-faults-" });
  const { faults: kinds, ...made } = STORAGES[name]!;
  const stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  await using _ = stack;
  const storage = stack.use(await made.open(folder));
  const launched = stack.use(
    await launch(new URL("topology.ts", import.meta.url), { args: ["--storage", storage.url] }),
  );
  const { url } = launched;
  using caller = new Caller(url, SERVICE);
  const open = { op: "open", accounts: ACCOUNTS, balance: BALANCE };
  const opened = await caller.call(open, { timeout: 60_000 });
  if (opened.kind !== "answered") throw new Error(`no accounts: ${JSON.stringify(opened)}`);

  const began = performance.now();
  const stop = new AbortController();
  const clients = new Clients({ url, seed, count: CLIENTS, operations, signal: stop.signal });
  const running = clients.run();
  // a call that hangs ends the harm, too
  running.catch((error) => stop.abort(error));
  const pids = new Pids(launched);
  const counts = await harm({
    faults: kinds,
    victims: { ...storage.victims, signal: (replica, signal) => pids.signal(replica, signal) },
    random,
    longest,
    async next(number) {
      if (number === faults) return false;
      await Promise.race([
        clients.reached((operations / (faults + 1)) * (number + 1)),
        aborted(stop.signal),
      ]);
      return !stop.signal.aborted;
    },
  });
  await running;
  const found = await clients.look();
  const seconds = (performance.now() - began) / 1_000;
  const wrong = [
    ...checkExactlyOnce(clients, found),
    ...checkConserved(ACCOUNTS.length * BALANCE, snapshots(clients.bank.operations)),
    ...judge(clients),
  ];
  if (wrong.length > 0) wrong.push(`what the clients did and got is in ${await keep(clients)}`);
  return {
    wrong,
    answered: clients.answered,
    ends: clients.ends,
    faults: counts,
    seconds,
  };
}

function judge({ registers: ofRegisters, counters, bank: ofBank }: Clients): string[] {
  const additions = counters.operations.map(
    (operation): Operation<CounterInput & { scope: string }, number> => ({
      ...operation,
      input: counterInput(operation.input),
    }),
  );
  const verdicts = [
    checkLinearizable(registers, withoutUnseen(ofRegisters.operations, trailsOfRegisters), {
      partOf: ({ scope }) => scope,
    }),
    checkLinearizable(counter(), additions, {
      partOf: (input) => (input as typeof additions[0]["input"]).scope,
    }),
    checkLinearizable(bank(ACCOUNTS, BALANCE), withoutUnseen(ofBank.operations, trailsOfBank)),
  ];
  return verdicts.flatMap((verdict) =>
    verdict.outcome === "linearizable" ? [] : [`${verdict.outcome}: ${verdict.message}`]
  );
}

/** Writes the histories to a file, to be looked at. */
async function keep({ registers, counters, bank }: Clients): Promise<string> {
  const file = await Deno.makeTempFile({ prefix: "mp-faults-", suffix: ".json" });
  const histories = [registers.operations, counters.operations, bank.operations];
  await Deno.writeTextFile(file, JSON.stringify(histories));
  return file;
}

function* snapshots(operations: readonly Operation<BankRequest, BankAnswer>[]) {
  for (const { input, returned } of operations) {
    if (input.op !== "snapshot" || returned === undefined) continue;
    yield (returned.output as readonly Account[]).map(([, , balance]) => balance);
  }
}

/** The processes of replicas, by what the program tells of them. */
class Pids {
  #launched: Launched;
  #read = 0;
  #pids = new Map<string, number>();

  constructor(launched: Launched) {
    this.#launched = launched;
  }

  signal(replica: number | "door", signal: Deno.Signal): void {
    const { lines } = this.#launched.program;
    for (; this.#read < lines.length; this.#read++) {
      const line = lines[this.#read]!;
      if (!line.startsWith("{")) continue;
      const { path, index, pid } = JSON.parse(line) as Told;
      if (pid !== undefined) this.#pids.set(`${path}.${index}`, pid);
    }
    const name = replica === "door" ? "faults.shard.0" : `faults.compute.${replica}`;
    try {
      Deno.kill(this.#pids.get(name)!, signal);
    } catch (error) {
      // it was killed before, and its successor is not there yet
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
