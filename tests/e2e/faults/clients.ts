/**
 * Clients that use registers, counters and a bank, and record what they do and get.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { type Call, History } from "../../../runtime/check/history.ts";
import { type Seeded, seeded } from "../../support/seeded.ts";
import { Caller, type Ended } from "./caller.ts";
import type {
  BankAnswer,
  BankRequest,
  CounterRequest,
  RegisterAnswer,
  RegisterRequest,
} from "./models.ts";

/** What there is to be used. */
export const REGISTERS: readonly string[] = ["r0", "r1", "r2", "r3", "r4", "r5"];
export const COUNTERS: readonly string[] = ["c0", "c1", "c2"];
export const ACCOUNTS: readonly string[] = ["a0", "a1", "a2", "a3", "a4", "a5"];
export const BALANCE = 20;
/** How many marks are in one ledger. */
const LEDGER = 50;
/** The service of the topology script. */
export const SERVICE = "faults";

/** Options of {@linkcode Clients}. */
export interface ClientsOptions {
  readonly url: string;
  readonly seed: number;
  readonly count: number;
  /** How many operations are to be answered. */
  readonly operations: number;
  readonly signal: AbortSignal;
}

type Request = RegisterRequest | CounterRequest | BankRequest;

/** See the module. */
export class Clients {
  readonly registers = new History<RegisterRequest, RegisterAnswer>();
  readonly counters = new History<CounterRequest, number>();
  readonly bank = new History<BankRequest, BankAnswer>();
  /** Of additions, each of which leaves a mark. */
  readonly acknowledged = new Set<string>();
  readonly unknown = new Set<string>();
  readonly ledgers = new Set<string>();
  /** How calls ended, by kind and code. */
  readonly ends = new Map<string, number>();
  /** How many operations were answered. */
  answered = 0;
  #options: ClientsOptions;
  /** What registers held when they were read last. */
  #values = new Map<string, string | null>();
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  /** Resolves when so many operations are answered, or all that are to be. */
  reached(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ count, resolve });
      this.#wake();
    });
  }

  /** Has all clients call until enough is answered. */
  async run(): Promise<void> {
    const { seed, count, signal } = this.#options;
    await Promise.all(Array.from({ length: count }, async (_, client) => {
      const random = seeded(seed * 1_000 + client);
      using caller = new Caller(this.#options.url, SERVICE);
      for (let number = 0; !this.#isOver && !signal.aborted; number++) {
        const ended = await this.#operate(caller, `${client}-${number}`, random);
        // who is told that nothing can be done now does not ask again at once
        if (ended !== "answered") await delay(random.between(1, 20));
      }
    }));
  }

  /** Looks at everything once more, when all is well again. @returns The marks that are there. */
  async look(): Promise<string[]> {
    using caller = new Caller(this.#options.url, SERVICE);
    const surely = async (request: unknown) => {
      const ended = await caller.call(request, { timeout: 60_000 });
      if (ended.kind === "answered") return ended.result;
      throw new Error(`${JSON.stringify(request)} ended with ${JSON.stringify(ended)} at last`);
    };
    const requests: Request[] = [
      ...REGISTERS.map((scope) => ({ op: "read", scope }) as const),
      ...COUNTERS.map((scope) => ({ op: "sum", scope }) as const),
      { op: "snapshot", accounts: ACCOUNTS },
    ];
    for (const request of requests) {
      const noted = this.#note(request, "last");
      noted.returned(await surely(request));
    }
    const marks: string[] = [];
    for (const ledger of this.ledgers) {
      marks.push(...await surely({ op: "marks", ledger }) as string[]);
    }
    return marks;
  }

  get #isOver(): boolean {
    return this.answered >= this.#options.operations;
  }

  #wake(): void {
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      const isThere = this.#isOver || this.answered >= count;
      if (isThere) resolve();
      return !isThere;
    });
  }

  async #operate(caller: Caller, mark: string, random: Seeded): Promise<Ended["kind"]> {
    const request = this.#draw(mark, random);
    const noted = this.#note(request, mark);
    // some callers have little patience
    const timeout = random.next() < 0.1 ? random.between(20, 1_000) : 30_000;
    // half of the clients give their calls a key, and ask again until they know
    const isKeyed = "mark" in request && Number(mark.split("-")[0]) % 2 === 0;
    const ended = isKeyed
      ? await this.#insist(caller, request, timeout, random)
      : await caller.call(request, { timeout });
    this.#conclude(request, noted, ended);
    return ended.kind;
  }

  /** Makes the same call again and again with the same key while it may have been carried out. */
  async #insist(
    caller: Caller,
    request: Request & { readonly mark: string },
    timeout: number,
    random: Seeded,
  ): Promise<Ended> {
    const { mark: idempotencyKey } = request;
    const first = await caller.call(request, { timeout, idempotencyKey });
    let ended = first;
    while (first.kind === "unknown" && !["answered", "threw"].includes(ended.kind)) {
      if (this.#options.signal.aborted) return first;
      this.#count("asked again", first);
      await delay(random.between(1, 20));
      ended = await caller.call(request, { timeout: 30_000, idempotencyKey });
    }
    return ended;
  }

  #count(what: string, ended: Ended): void {
    const name = "code" in ended ? `${what} ${ended.code}` : what;
    this.ends.set(name, (this.ends.get(name) ?? 0) + 1);
  }

  #note(request: Request, client: string): Call<unknown> {
    if (request.op === "add") {
      this.ledgers.add(request.ledger);
      this.unknown.add(request.mark);
    }
    const call: Call<never> = isOfBank(request)
      ? this.bank.call(client, request)
      : isOfCounter(request)
      ? this.counters.call(client, request)
      : this.registers.call(client, request);
    return call as Call<unknown>;
  }

  #draw(mark: string, random: Seeded): Request {
    const roll = random.next();
    if (roll < 0.35) {
      const scope = random.pick(REGISTERS);
      if (roll < 0.15) return { op: "read", scope };
      if (roll < 0.25) return { op: "write", scope, mark };
      return { op: "compareAndSet", scope, expected: this.#values.get(scope) ?? null, mark };
    }
    if (roll < 0.65) {
      const scope = random.pick(COUNTERS);
      if (roll < 0.4) return { op: "sum", scope };
      if (roll < 0.5) return { op: "hit", scope };
      const [client, number] = mark.split("-").map(Number);
      const ledger = `ledger ${client}.${Math.floor(number! / LEDGER)}`;
      return { op: "add", scope, ledger, mark };
    }
    if (roll < 0.75) return { op: "snapshot", accounts: ACCOUNTS };
    const [from, to] = random.shuffled(ACCOUNTS);
    return { op: "transfer", from: from!, to: to!, amount: random.between(1, 8), mark };
  }

  #conclude(request: Request, noted: Call<unknown>, ended: Ended): void {
    this.#count(ended.kind, ended);
    const isRead = ["read", "sum", "snapshot"].includes(request.op);
    if (ended.kind === "failed" || (ended.kind === "unknown" && isRead)) noted.failed();
    else if (ended.kind === "answered") {
      noted.returned(ended.result);
      if (request.op === "read") {
        this.#values.set(request.scope, (ended.result as RegisterAnswer)[1].at(-1) ?? null);
      }
    } else if (ended.kind === "threw") noted.returned(shortOf(ended.message));
    if (request.op === "add" && ended.kind !== "unknown") {
      this.unknown.delete(request.mark);
      if (ended.kind === "answered") this.acknowledged.add(request.mark);
    }
    if (ended.kind === "failed" || ended.kind === "unknown") return;
    this.answered++;
    this.#wake();
  }
}

function isOfBank(request: Request): request is BankRequest {
  return request.op === "transfer" || request.op === "snapshot";
}

function isOfCounter(request: Request): request is CounterRequest {
  return request.op === "hit" || request.op === "add" || request.op === "sum";
}

/** What an account was when it held too little: the message of a body that threw. */
function shortOf(message: string): BankAnswer & { short: unknown } {
  try {
    return { short: JSON.parse(message) };
  } catch {
    throw new Error(`a handler threw ${JSON.stringify(message)}`);
  }
}
