/**
 * Transactions over scopes: bodies that run on what the replica knows, and commits that prove it.
 *
 * A body runs at once, on the newest states that this replica knows of, confirmed or not. What it
 * produces is kept back until storage has confirmed, in a round trip that began after the call, that
 * everything it read was current; if not, it runs again on the current states. So outcomes are
 * linearizable, and an uncontended transaction costs one round trip.
 *
 * Transactions that are ready wait in one queue, in which each rests on those before it. One request is
 * under way at a time, and takes along what is ready when it leaves: transactions that share a scope are
 * one commit, others travel beside it as commits of their own.
 *
 * @module
 */

import type { MpError } from "../errors.ts";
import { deadlines } from "../peer/deadlines.ts";
import { decodeKey, encodeKey } from "../storage/key.ts";
import type { Storage } from "../storage/storage.ts";
import type { Siblings } from "./baton.ts";
import { Overlay, State } from "./overlay.ts";
import { outside, Pipeline } from "./pipeline.ts";
import { type Body, type Caller, type Outcome, Transaction } from "./transaction.ts";
import { closed, givenUp, late } from "./transaction_errors.ts";
import { Turns } from "./turns.ts";
import { View, type Written } from "./view.ts";

/** Options of {@linkcode Transactor}. */
export interface TransactorOptions {
  readonly storage: Storage;
  /** Numbers from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
  /** The replica whose transactions they are, and the others of its deployment. Default: it is alone. */
  readonly replica?: { readonly name: string; readonly siblings: Siblings };
}

/** Options of {@linkcode Transactor.run}. */
export interface RunOptions {
  /** How long it may take, in milliseconds. */
  readonly timeout: number;
  /** The scopes that the body will touch, by encoded key, where that is known. */
  readonly scopes?: readonly string[];
  /** The call of which it is part: the transaction ends when nobody waits for its answer any more. */
  readonly caller?: Caller;
  /** The body's first run, where it was made before anybody knew that it is a transaction. */
  readonly first?: { readonly view: View; readonly outcome: Outcome };
}

/** How often others may come in between before a body has its scopes for itself. */
const MOST_OVERTAKEN = 2;
/**
 * What of its time a transaction leaves for its outcome to reach the caller, as a part of it, and in milliseconds at
 * most: callers count the same time, and are to hear why, not just that it is over.
 */
const RESERVED = { part: 0.2, most: 1_000 };
/** How much of that may be spent on learning what has become of a request; and how long at least, in milliseconds. */
const GRACE = { part: 0.5, least: 20 };
const NO_WRITES: ReadonlyMap<string, Written> = new Map();

/** Runs the transactions of one replica on one storage. */
export class Transactor {
  readonly storage: Storage;
  #overlay = new Overlay();
  #turns = new Turns();
  #pipeline: Pipeline;
  #live = new Set<Transaction>();
  /** What is being loaded, by the names of scopes. */
  #loading = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor({ storage, random = Math.random, replica }: TransactorOptions) {
    this.storage = storage;
    this.#pipeline = new Pipeline({
      storage,
      overlay: this.#overlay,
      random,
      runAgain: (transaction) => this.#start(transaction),
      settle: (transaction, error) => this.#settle(transaction, error),
      isInUse: (scope) => !this.#turns.areFree([scope]),
      replica: replica?.name,
      siblings: replica?.siblings,
    });
  }

  /** Takes what another replica has handed on to this one by its {@linkcode Siblings}. */
  take(text: string): void {
    this.#pipeline.take(text);
  }

  /**
   * Runs a transaction.
   *
   * @returns What the body returned, once everything that it read has been confirmed and everything that
   * it wrote is stored.
   * @throws What the body threw, once what it read has been confirmed.
   * @throws {MpError} `scope_conflict`, `storage_unavailable`, `commit_unknown`, `deadline_exceeded`, `cancelled`.
   */
  run<T>(body: Body<T>, { timeout, scopes = [], first, caller }: RunOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#isClosed) return reject(closed());
      if (caller?.cancelled) {
        first?.view.abandon();
        return reject(caller.cancelled);
      }
      const transaction = new Transaction({
        body,
        scopes,
        resolve: resolve as (value: unknown) => void,
        reject,
        caller,
        onExpire: (expired) => this.#expire(expired),
        onCancel: (cancelled, reason) => this.#cancel(cancelled, reason),
      });
      this.#live.add(transaction);
      caller?.adopt(transaction);
      transaction.reserved = Math.min(timeout * RESERVED.part, RESERVED.most);
      deadlines.add(transaction, timeout - transaction.reserved);
      if (first === undefined) return this.#start(transaction);
      transaction.view = first.view;
      this.#end(transaction, first.view, first.outcome);
    });
  }

  /**
   * Loads scopes, by encoded key, those of which nothing is known, in one read.
   *
   * @returns Nothing when there is nothing to load. Never rejects: what could not be loaded is learned by commits.
   */
  preload(scopes: readonly string[]): Promise<void> | undefined {
    const missing = scopes.filter((scope) => this.#overlay.peek(scope) === undefined);
    if (missing.length === 0 || this.#isClosed) return undefined;
    const names = missing.join(" ");
    const loading = this.#loading.get(names);
    if (loading !== undefined) return loading;
    const load = this.#load(missing).finally(() => this.#loading.delete(names));
    this.#loading.set(names, load);
    return load;
  }

  async #load(scopes: readonly string[]): Promise<void> {
    try {
      const states = await outside(() => this.storage.read(scopes.map(decodeKey)));
      for (const { key, value, version } of states) {
        const scope = encodeKey(key);
        // a transaction may have learned of it meanwhile
        if (this.#overlay.peek(scope) === undefined) {
          this.#overlay.confirm(scope, State.stored(value, version));
        }
      }
    } catch {
      // see above
    }
  }

  /** A view for a run that {@linkcode run} is told of later. */
  view(): View {
    return new View(this.#overlay);
  }

  /** The fault because of which the storage cannot be used, if there is one. */
  get fault(): MpError | undefined {
    return this.#pipeline.fault;
  }

  /** Ends everything; transactions without an outcome fail. The storage stays open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const landed = this.#pipeline.close();
    for (const transaction of [...this.#live]) {
      // what becomes of a request that is under way is told when it is known
      if (transaction.stage !== "flying") this.#settle(transaction, closed());
    }
    await landed;
    deadlines.settle();
  }

  /** Runs the body when it is its turn. */
  #start(transaction: Transaction): void {
    if (transaction.stage === "settled" || this.#pipeline.hold(transaction)) return;
    transaction.stage = "running";
    if (this.#turns.areFree(transaction.scopes)) return this.#run(transaction);
    const isReserved = transaction.overtaken >= MOST_OVERTAKEN;
    this.#turns.wait(transaction.scopes, isReserved, (turn) => {
      transaction.turn = turn;
      if (transaction.stage === "settled") this.#leave(transaction);
      else this.#run(transaction);
    });
  }

  #run(transaction: Transaction): void {
    const view = this.view();
    transaction.view = view;
    let result: unknown;
    try {
      result = transaction.within(() => transaction.options.body(view));
    } catch (error) {
      return this.#end(transaction, view, { error });
    }
    if (!isPromise(result)) return this.#end(transaction, view, { value: result });
    if (transaction.turn === undefined && this.#turns.areFree(transaction.scopes)) {
      const isReserved = transaction.overtaken >= MOST_OVERTAKEN;
      this.#turns.wait(transaction.scopes, isReserved, (turn) => transaction.turn = turn);
    }
    result.then(
      (value) => this.#end(transaction, view, { value }),
      (error) => this.#end(transaction, view, { error }),
    );
  }

  /** Takes what a run of the body has produced. */
  #end(transaction: Transaction, view: View, outcome: Outcome): void {
    // its deadline may have passed while it ran
    if (transaction.view !== view) return;
    transaction.view = undefined;
    const reads = view.reads();
    const isOvertaken = !view.fresh || this.#turns.areReserved(reads.keys(), transaction.turn);
    transaction.attempt = isOvertaken
      ? { outcome, reads, writes: NO_WRITES }
      : { reads, ...finish(view, outcome) };
    if (isOvertaken) {
      view.abandon();
      transaction.overtaken++;
      // it waits behind whoever has its scopes now
      queueMicrotask(() => this.#start(transaction));
    } else if (reads.size === 0) this.#settle(transaction);
    else this.#pipeline.add(transaction);
    this.#leave(transaction);
  }

  /** Lets go of its turn. */
  #leave(transaction: Transaction): void {
    const { turn } = transaction;
    if (turn === undefined) return;
    transaction.turn = undefined;
    this.#turns.release(turn);
  }

  /** Tells the outcome, or the error that stands in its place. */
  #settle(transaction: Transaction, error?: unknown): void {
    if (transaction.stage === "settled") return;
    transaction.stage = "settled";
    this.#live.delete(transaction);
    deadlines.remove(transaction);
    transaction.view?.abandon();
    transaction.view = undefined;
    const { resolve, reject, caller } = transaction.options;
    caller?.release(transaction);
    const outcome = error === undefined ? transaction.attempt!.outcome : { error };
    if ("error" in outcome) reject(outcome.error);
    else resolve(outcome.value);
    this.#leave(transaction);
  }

  /** Nobody waits for its outcome any more. What is in a request that carries others' writes too goes on. */
  #cancel(transaction: Transaction, reason: MpError): void {
    this.#settle(transaction, givenUp(transaction, reason));
    this.#pipeline.left();
  }

  /** The time of a transaction is over, but for what is reserved. */
  #expire(transaction: Transaction): void {
    const { reserved } = transaction;
    transaction.reserved = 0;
    if (transaction.stage === "running" && reserved > 0) {
      // the body may take all the time that there is; without it there is nothing to be told
      return deadlines.add(transaction, reserved);
    }
    if (this.#pipeline.isUndecided(transaction)) {
      // in a moment it is known whether it has been sent
      transaction.isLate = true;
      deadlines.add(transaction, Math.max(reserved * GRACE.part, GRACE.least));
      this.#pipeline.interrupt();
    } else this.#settle(transaction, late(transaction, this.#pipeline));
    this.#pipeline.expired();
  }
}

/** Ends a run: what it has written is fixed before any other body runs. A body that throws has changed nothing. */
function finish(
  view: View,
  outcome: Outcome,
): { readonly outcome: Outcome; readonly writes: ReadonlyMap<string, Written> } {
  if ("value" in outcome) {
    try {
      return { outcome, writes: view.end() };
    } catch (error) {
      return { outcome: { error }, writes: view.fail(error) };
    }
  }
  return { outcome, writes: view.fail(outcome.error) };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
