/**
 * Transactions over scopes: bodies that run on what the replica knows, and commits that prove it.
 *
 * A body runs at once, on the newest states that this replica knows of, confirmed or not. What it
 * produces is kept back until storage has confirmed, in a round trip that began after the call, that
 * everything it read was current; if not, it runs again on the current states. So outcomes are
 * linearizable, and an uncontended transaction costs one round trip.
 *
 * One request is under way at a time. What ends meanwhile waits for the next one: transactions that share
 * a scope become one commit, others travel beside it as commits of their own.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { deadlines } from "../peer/deadlines.ts";
import { decodeKey, encodeKey, showKey } from "../storage/key.ts";
import type { Commit, CommitResult, Mutation, Storage } from "../storage/storage.ts";
import { newSession, versionOf } from "../storage/version.ts";
import { groupByScope } from "./group.ts";
import { Locks } from "./locks.ts";
import { type Document, Overlay, type State } from "./overlay.ts";
import { sendCommits, type Unanswered } from "./send_commits.ts";
import {
  type Attempt,
  type Body,
  type Outcome,
  Transaction,
  type WrittenState,
} from "./transaction.ts";
import { View } from "./view.ts";

/** Options of {@linkcode Transactor}. */
export interface TransactorOptions {
  readonly storage: Storage;
  /** Numbers from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** Options of {@linkcode Transactor.run}. */
export interface RunOptions {
  /** How long it may take, in milliseconds. */
  readonly timeout: number;
  /** The scopes that the body will touch, by encoded key, where that is known. */
  readonly scopes?: readonly string[];
  /** The body's first run, where it was made before anybody knew that it is a transaction. */
  readonly first?: { readonly view: View; readonly outcome: Outcome };
}

/** A request to the storage that is under way. */
interface Flight {
  readonly groups: readonly Transaction[][];
  readonly abort: AbortController;
  /** The fault after which it is being sent again. */
  fault: MpError | undefined;
  mayBeDone: boolean;
}

const NO_SCOPES: ReadonlySet<string> = new Set();
/** From so many refusals on, a transaction's scopes are all read at one instant before it runs again. */
const READ_AFTER = 3;
/** The longest pause before another try, in milliseconds. */
const LONGEST_PAUSE = 100;

/** Runs the transactions of one replica on one storage. */
export class Transactor {
  readonly storage: Storage;
  #random: () => number;
  #session = newSession();
  #seq = 0;
  #overlay = new Overlay();
  #locks = new Locks();
  #waiting: Transaction[] = [];
  #flight: Flight | undefined;
  #scheduled = false;
  #closed = new AbortController();
  #pauses = new Set<() => void>();
  /** How long a round trip takes, about, in milliseconds. */
  #roundTrip = 1;

  constructor({ storage, random = Math.random }: TransactorOptions) {
    this.storage = storage;
    this.#random = random;
  }

  /**
   * Runs a transaction.
   *
   * @returns What the body returned, once everything that it read has been confirmed and everything that
   * it wrote is stored.
   * @throws What the body threw, once what it read has been confirmed.
   * @throws {MpError} `scope_conflict`, `storage_unavailable`, `commit_unknown`, `deadline_exceeded`.
   */
  run<T>(body: Body<T>, { timeout, scopes = [], first }: RunOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed.signal.aborted) return reject(closed());
      const transaction = new Transaction(
        body,
        new Set(scopes),
        resolve as (value: unknown) => void,
        reject,
        (expired) => this.#expire(expired),
      );
      deadlines.add(transaction, timeout);
      if (first) this.#end(transaction, NO_SCOPES, first.view, first.outcome);
      else this.#start(transaction);
    });
  }

  /** A view for a run that {@linkcode run} is told of later. */
  view(): View {
    return new View(this.#overlay);
  }

  /** The fault because of which transactions wait for the storage, if there is one. */
  get fault(): MpError | undefined {
    return this.#flight?.fault;
  }

  /** Ends everything; transactions without an outcome fail. The storage stays open. */
  close(): void {
    this.#closed.abort(closed());
    this.#flight?.abort.abort(closed());
    for (const end of this.#pauses) end();
    for (const transaction of this.#waiting.splice(0)) this.#fail(transaction, closed());
    deadlines.settle();
  }

  /** Runs the body when it is its turn. */
  #start(transaction: Transaction): void {
    if (transaction.stage === "settled") return;
    transaction.stage = "running";
    // what it touched last time it will most likely touch again
    const scopes = transaction.attempt
      ? new Set([...transaction.known, ...transaction.scopes])
      : transaction.known;
    if (this.#locks.free(scopes)) this.#run(transaction, scopes);
    else this.#locks.wait(scopes, () => this.#run(transaction, scopes));
  }

  #run(transaction: Transaction, scopes: ReadonlySet<string>): void {
    this.#locks.hold(scopes);
    if (transaction.stage === "settled") return this.#locks.release(scopes);
    const view = new View(this.#overlay);
    let result: unknown;
    try {
      result = transaction.body(view);
    } catch (error) {
      return this.#end(transaction, scopes, view, { error });
    }
    if (!(result instanceof Promise)) {
      return this.#end(transaction, scopes, view, { value: result });
    }
    result.then(
      (value) => this.#end(transaction, scopes, view, { value }),
      (error) => this.#end(transaction, scopes, view, { error }),
    );
  }

  /** Takes what a run of the body produced. */
  #end(transaction: Transaction, held: ReadonlySet<string>, view: View, outcome: Outcome): void {
    const isFresh = view.fresh;
    const attempt = finish(view, outcome);
    transaction.attempt = attempt;
    if (transaction.stage !== "settled") {
      if (!isFresh) {
        // it waits behind whoever holds its scopes now
        queueMicrotask(() => this.#start(transaction));
      } else if (attempt.reads.size === 0) this.#settle(transaction);
      else {
        for (const [scope, { state }] of attempt.writes) this.#overlay.write(scope, state);
        transaction.stage = "waiting";
        this.#waiting.push(transaction);
        this.#schedule();
      }
    }
    this.#locks.release(held);
  }

  /** Sends what waits, at the end of this turn of the event loop. */
  #schedule(): void {
    if (this.#scheduled || this.#flight || this.#waiting.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#flight && this.#waiting.length > 0) {
        this.#send(groupByScope(this.#waiting.splice(0)));
      }
    });
  }

  async #send(groups: readonly Transaction[][]): Promise<void> {
    const flight: Flight = {
      groups,
      abort: new AbortController(),
      fault: undefined,
      mayBeDone: false,
    };
    this.#flight = flight;
    const commits = groups.map((group) => {
      for (const transaction of group) transaction.stage = "flying";
      return commitOf(group, this.#session, ++this.#seq);
    });
    const started = performance.now();
    const answer = await sendCommits(this.storage, commits, {
      signal: flight.abort.signal,
      random: this.#random,
      onFault: (fault, mayBeDone) => Object.assign(flight, { fault, mayBeDone }),
    });
    this.#roundTrip += (performance.now() - started - this.#roundTrip) / 8;
    this.#flight = undefined;
    if ("results" in answer) {
      answer.results.forEach((result, i) => this.#take(groups[i]!, commits[i]!, result));
    } else {
      for (const group of groups) this.#lose(group, answer.fault, answer.mayBeDone);
    }
    this.#schedule();
  }

  /** Takes the answer to one commit. */
  #take(group: Transaction[], commit: Commit, result: CommitResult | Unanswered): void {
    if ("refusal" in result) return this.#lose(group, result.refusal, false);
    if (!result.done) {
      for (const { key, version, value } of result.current) {
        this.#overlay.confirm(encodeKey(key), { data: documentOf(value), version });
      }
      const overtaken = this.#undo(group);
      this.#tryLater(group);
      for (const transaction of overtaken) this.#start(transaction);
      return;
    }
    for (const [scope, { state }] of lastWrites(group)) {
      state.version = versionOf(commit);
      this.#overlay.confirm(scope, state);
    }
    for (const transaction of group) this.#settle(transaction);
  }

  /** A commit that storage did not take, or of which nobody knows. */
  #lose(group: Transaction[], fault: unknown, mayBeDone: boolean): void {
    const overtaken = this.#undo(group);
    for (const transaction of group) {
      // what storage has may be the old or the new
      if (mayBeDone) { for (const scope of transaction.scopes) this.#overlay.forget(scope); }
      const isUnknown = mayBeDone && transaction.attempt!.writes.size > 0;
      this.#fail(transaction, isUnknown ? unknown(transaction, fault) : fault);
    }
    for (const transaction of overtaken) this.#start(transaction);
  }

  /**
   * Takes back what transactions have written.
   *
   * @returns Those that wait and rest on it, which have to run again.
   */
  #undo(group: readonly Transaction[]): Transaction[] {
    const touched = new Set(group.flatMap((transaction) => [...transaction.scopes]));
    const overtaken: Transaction[] = [];
    this.#waiting = this.#waiting.filter((transaction) => {
      const scopes = [...transaction.scopes];
      if (!scopes.some((scope) => touched.has(scope))) return true;
      for (const scope of scopes) touched.add(scope);
      overtaken.push(transaction);
      return false;
    });
    for (const scope of touched) this.#overlay.reset(scope);
    return overtaken;
  }

  /** Runs refused transactions again, after a pause of full jitter (Brooker, 2015) that grows with each refusal. */
  async #tryLater(group: readonly Transaction[]): Promise<void> {
    let refusals = 0;
    for (const transaction of group) {
      transaction.stage = transaction.stage === "settled" ? "settled" : "running";
      refusals = Math.max(refusals, ++transaction.refusals);
    }
    const longest = Math.min(LONGEST_PAUSE, this.#roundTrip * 2 ** refusals);
    if (refusals > 1) await this.#pause(longest * this.#random());
    if (refusals >= READ_AFTER) await this.#refresh(group);
    for (const transaction of group) {
      if (this.#closed.signal.aborted) this.#fail(transaction, closed());
      else this.#start(transaction);
    }
  }

  /** Reads all scopes of transactions at one instant. */
  async #refresh(group: readonly Transaction[]): Promise<void> {
    const scopes = [...new Set(group.flatMap((transaction) => [...transaction.scopes]))];
    try {
      const states = await this.storage.read(scopes.map(decodeKey), {
        signal: this.#closed.signal,
      });
      states.forEach(({ version, value }, i) => {
        // a state that waits for its commit is refused by itself if it is stale
        this.#overlay.confirm(scopes[i]!, { data: documentOf(value), version });
      });
    } catch {
      // the next commit finds the same fault, and tells it
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#pauses.add(end);
    });
  }

  #settle(transaction: Transaction): void {
    if (transaction.stage === "settled") return;
    transaction.stage = "settled";
    deadlines.remove(transaction);
    const { outcome } = transaction.attempt!;
    if ("error" in outcome) transaction.reject(outcome.error);
    else transaction.resolve(outcome.value);
  }

  #fail(transaction: Transaction, error: unknown): void {
    if (transaction.stage === "settled") return;
    transaction.stage = "settled";
    deadlines.remove(transaction);
    transaction.reject(error);
  }

  /** The deadline of a transaction has passed. */
  #expire(transaction: Transaction): void {
    const { stage } = transaction;
    const flight = this.#flight;
    this.#fail(transaction, late(transaction, flight));
    if (stage === "waiting") {
      this.#waiting = this.#waiting.filter((other) => other !== transaction);
      for (const other of this.#undo([transaction])) this.#start(other);
    }
    // nobody is left to be told: the storage may be asked for something else
    if (flight?.groups.every((group) => group.every((other) => other.stage === "settled"))) {
      flight.abort.abort(new MpError("deadline_exceeded", "The deadline has passed"));
    }
  }
}

/** Ends a run: what it wrote, and its result, are fixed before any other body runs. */
function finish(view: View, outcome: Outcome): Attempt {
  const writes = new Map<string, WrittenState>();
  const reads = new Map(view.reads());
  try {
    for (const [scope, { data, text }] of view.end(!("error" in outcome))) {
      writes.set(scope, { state: { data, version: undefined }, text });
    }
    return { outcome, reads, writes };
  } catch (error) {
    view.end(false);
    return { outcome: { error }, reads, writes: new Map() };
  }
}

/** The commit of a group: what its transactions read from outside of it, and what they leave behind. */
function commitOf(group: readonly Transaction[], session: string, seq: number): Commit {
  const bases = new Map<string, State>();
  for (const { attempt } of group) {
    for (const [scope, state] of attempt!.reads) if (!bases.has(scope)) bases.set(scope, state);
  }
  const checks = Array.from(
    bases,
    ([scope, { version }]) => ({ key: decodeKey(scope), version: version! }),
  );
  const mutations = Array.from(lastWrites(group), ([scope, { text }]): Mutation => {
    const key = decodeKey(scope);
    return text === undefined ? { op: "delete", key } : { op: "put", key, value: text };
  });
  return { session, seq, checks, mutations };
}

function lastWrites(group: readonly Transaction[]): Map<string, WrittenState> {
  const last = new Map<string, WrittenState>();
  for (const { attempt } of group) {
    for (const [scope, written] of attempt!.writes) last.set(scope, written);
  }
  return last;
}

function documentOf(value: string | undefined): Document | undefined {
  return value === undefined ? undefined : JSON.parse(value);
}

function shown(transaction: Transaction): string {
  const scopes = [...(transaction.attempt?.reads.keys() ?? transaction.known)];
  return scopes.map((scope) => showKey(decodeKey(scope))).join(", ") || "a scope";
}

function late(transaction: Transaction, flight: Flight | undefined): MpError {
  const scopes = shown(transaction);
  if (transaction.stage === "flying" && transaction.attempt!.writes.size > 0) {
    const maybe = flight === undefined || flight.fault === undefined || flight.mayBeDone;
    if (maybe) return unknown(transaction, flight?.fault);
  }
  if (transaction.refusals > 0) {
    return new MpError(
      "scope_conflict",
      `Cannot change ${scopes}: others changed it first, ${transaction.refusals} times`,
    );
  }
  const fault = flight?.fault;
  return new MpError(
    fault ? "storage_unavailable" : "deadline_exceeded",
    `Cannot change ${scopes}: ${fault ? fault.message : "no outcome in time"}`,
    { cause: fault, reason: fault?.reason ?? "timed out" },
  );
}

function unknown(transaction: Transaction, fault: unknown): MpError {
  return new MpError(
    "commit_unknown",
    `Cannot tell whether ${shown(transaction)} was changed: the storage did not answer in time`,
    {
      cause: fault,
      next: "Read the scope before you try again, or call with an idempotency key",
    },
  );
}

function closed(): MpError {
  return new MpError("cancelled", "Cannot run the transaction: the replica ends");
}
