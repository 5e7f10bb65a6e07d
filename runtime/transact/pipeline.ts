/**
 * The queue of transactions that are ready, and the one request at a time that takes them to the storage.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { MpError } from "../errors.ts";
import { afterTurn } from "../peer/turn.ts";
import { encodeKey, isReply } from "../storage/key.ts";
import type { CommitResult, Storage, Versioned } from "../storage/storage.ts";
import { newSession, versionOf } from "../storage/version.ts";
import type { Siblings } from "./baton.ts";
import { Batons } from "./batons.ts";
import { Flight, isLasting, type Lost } from "./flight.ts";
import { groupByScope } from "./group.ts";
import { Lookout } from "./lookout.ts";
import { type MadeCommit, makeCommit } from "./make_commit.ts";
import { type Overlay, State } from "./overlay.ts";
import { backOff, Pauses } from "./pauses.ts";
import { Rotation } from "./rotation.ts";
import type { Transaction } from "./transaction.ts";
import {
  closed,
  conflict,
  LONG_SILENCE,
  type StorageState,
  unavailable,
  unknown,
} from "./transaction_errors.ts";

/** Options of {@linkcode Pipeline}. */
export interface PipelineOptions {
  readonly storage: Storage;
  readonly overlay: Overlay;
  /** Numbers from 0 to 1. */
  readonly random: () => number;
  /** Runs a transaction's body again, since what it has read is not current. */
  readonly runAgain: (transaction: Transaction) => void;
  /** Tells a transaction's outcome, or the error that stands in its place. */
  readonly settle: (transaction: Transaction, error?: unknown) => void;
  /** Whether a body that waits for something uses a scope now. */
  readonly isInUse: (scope: string) => boolean;
  /** This replica's name. */
  readonly replica: string | undefined;
  /** Other replicas, which may change the same scopes. */
  readonly siblings: Siblings | undefined;
}

/** Transactions that are one commit. */
interface Group extends MadeCommit {
  readonly transactions: readonly Transaction[];
}

/** Runs code as part of no call: a request belongs to all whose transactions it carries. */
export const outside: <R>(code: () => R) => R = AsyncLocalStorage.snapshot();
/** How much text a request carries at most, unless one commit has more. */
const MOST_TEXT = 8 * 1024 * 1024;

/** See the module's documentation. */
export class Pipeline implements StorageState {
  #options: PipelineOptions;
  #rotation: Rotation;
  #lookout: Lookout;
  #batons: Batons | undefined;
  #pauses = new Pauses();
  #session: string;
  #seq = 0;
  /** In the order in which their bodies ran; each rests on those before it. */
  #queue: Transaction[] = [];
  /** Whether some in the queue may rest on what is not so any more. */
  #isDirty = false;
  #flight: Flight | undefined;
  #flying: readonly Transaction[] = [];
  #flyingGroups: readonly Group[] = [];
  #landed: Promise<void> = Promise.resolve();
  #isScheduled = false;
  #isPausing = false;
  #closing = new AbortController();
  #fault: MpError | undefined;
  #faults = 0;
  /** How many transactions a request may take along: fewer while the storage does not take some of them. */
  #most = Infinity;
  /** How long a round trip takes, about, in milliseconds. */
  #roundTrip = 1;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#session = newSession(options.replica);
    const rotation = this.#rotation = new Rotation(options.random);
    this.#lookout = new Lookout({
      ...options,
      rotation,
      name: () => ({ session: this.#session, seq: ++this.#seq }),
      onLooked: () => {
        this.#isDirty = true;
        this.#rebase();
        this.#schedule();
      },
    });
    const { siblings, overlay } = options;
    if (siblings === undefined) return;
    this.#batons = new Batons({
      siblings,
      overlay,
      rotation,
      own: () => ({ session: this.#session, roundTrip: this.#roundTrip }),
      isWritten: (scope) => this.#flyingGroups.some(({ writes }) => writes.has(scope)),
      isWanted: (scope) =>
        options.isInUse(scope) || this.#queue.some(({ attempt }) => attempt!.reads.has(scope)),
      onTaken: () => {
        this.#isDirty = true;
        this.#rebase();
        this.#schedule();
      },
    });
  }

  /** The fault because of which the storage cannot be used now. */
  get fault(): MpError | undefined {
    return this.#fault;
  }

  /** For how long the request that is under way has had no answer, in milliseconds. */
  get silence(): number {
    const flight = this.#flight === undefined ? 0 : performance.now() - this.#flight.started;
    return Math.max(flight, this.#lookout.silence);
  }

  /** Keeps a transaction while its scopes are left to other replicas. @returns Whether they are. */
  hold(transaction: Transaction): boolean {
    return this.#rotation.isIdle ? false : this.#lookout.hold(transaction);
  }

  /** Takes a transaction whose body has run on the newest states. */
  add(transaction: Transaction): void {
    this.#accept(transaction);
    this.#schedule();
  }

  /** Takes a scope that another replica has handed on, as text. */
  take(text: string): void {
    if (!this.#closing.signal.aborted) this.#batons?.take(text);
  }

  /** Whether it is in a request of which it can still be learned that it was never sent. */
  isUndecided(transaction: Transaction): boolean {
    if (transaction.stage !== "flying" || !transaction.writes || transaction.isLate) return false;
    if (this.#flight!.mayBeDone) return false;
    // asking disturbs all that are in the request, so it is done when they wait in vain
    const isOnly = this.#flying.every((other) => other === transaction || isOver(other));
    return isOnly || this.silence >= LONG_SILENCE;
  }

  /** Asks whether the request that is under way has left. */
  interrupt(): void {
    this.#flight?.interrupt();
  }

  /** Notes that a transaction has been given up. Its request, unless it waits in vain, is let go on. */
  left(): void {
    if (this.#fault !== undefined || this.silence >= LONG_SILENCE) this.expired();
    else this.#isDirty = true;
  }

  /** Notes that a deadline has passed. */
  expired(): void {
    this.#isDirty = true;
    const isOver = this.#flying.every(({ stage }) => stage === "settled");
    if (isOver) this.#flight?.giveUp(closed());
  }

  /** Ends the request that is under way, and sends no more. */
  async close(): Promise<void> {
    this.#closing.abort(closed());
    this.#flight?.giveUp(closed());
    this.#pauses.end();
    await Promise.all([this.#landed, this.#lookout.close()]);
  }

  #accept(transaction: Transaction): void {
    this.#pin(transaction);
    transaction.stage = "ready";
    this.#queue.push(transaction);
  }

  /** What it leaves behind is what others may rest on. */
  #pin({ attempt }: Transaction): void {
    const { reads, writes } = attempt!;
    for (const [scope, state] of reads) {
      this.#options.overlay.pin(scope, writes.get(scope)?.state ?? state);
    }
  }

  /**
   * Sends what is ready at the end of this turn of the event loop, which brings calls one by one. Where a commit keeps the
   * process busy, as in a file, whatever has come meanwhile would else be sent alone.
   */
  #schedule(): void {
    if (this.#isScheduled || this.#queue.length === 0) return;
    this.#isScheduled = true;
    afterTurn(() => {
      this.#isScheduled = false;
      if (!this.#flight && !this.#isPausing && !this.#closing.signal.aborted) this.#depart();
    });
  }

  #depart(): void {
    if (this.#isDirty) this.#rebase();
    const picked = this.#pick();
    const groups = this.#load(picked);
    if (groups.length > 0) this.#landed = outside(() => this.#fly(groups));
    else if (picked.length > 0) this.#schedule();
  }

  /** Keeps what rests on the newest states, and has all else run again. */
  #rebase(): void {
    const { overlay, runAgain } = this.#options;
    this.#isDirty = false;
    overlay.unpin();
    for (const transaction of this.#flying) this.#pin(transaction);
    for (const transaction of this.#queue.splice(0)) {
      if (transaction.stage === "settled") continue;
      const { reads } = transaction.attempt!;
      const isCurrent = reads.entries().every(([scope, state]) => overlay.isNewest(scope, state));
      if (isCurrent) this.#accept(transaction);
      else runAgain(transaction);
    }
    for (const transaction of this.#lookout.release()) runAgain(transaction);
  }

  /** Takes those from the queue that may leave, none without those before it that share its scopes. */
  #pick(): Transaction[] {
    const staying = new Set<string>();
    const picked: Transaction[] = [];
    this.#queue = this.#queue.filter((transaction) => {
      const scopes = [...transaction.attempt!.reads.keys()];
      let stays = picked.length >= this.#most || scopes.some((scope) => staying.has(scope));
      if (!this.#rotation.isIdle && this.#lookout.waits(scopes)) stays = true;
      if (stays) { for (const scope of scopes) staying.add(scope); }
      else picked.push(transaction);
      return stays;
    });
    return picked;
  }

  /** Makes commits of transactions; what is too much for one request goes back into the queue. */
  #load(transactions: readonly Transaction[]): Group[] {
    const groups: Group[] = [];
    const back: Transaction[] = [];
    let text = 0;
    for (const group of groupByScope(transactions, ({ attempt }) => attempt!.reads.keys())) {
      const made = text < MOST_TEXT ? this.#make(group) : undefined;
      if (made === undefined) back.push(...group);
      else {
        groups.push({ ...made, transactions: group });
        for (const { state } of made.writes.values()) text += state.size;
      }
    }
    this.#queue.unshift(...back);
    return groups;
  }

  #make(transactions: readonly Transaction[]): MadeCommit | undefined {
    const name = { session: this.#session, seq: ++this.#seq };
    try {
      return makeCommit(transactions.map(({ attempt }) => attempt!), name);
    } catch (error) {
      this.#shrink(transactions, error);
      return undefined;
    }
  }

  /** Of transactions that are not taken together, finds the one that is not taken. */
  #shrink(transactions: readonly Transaction[], fault: unknown): void {
    this.#isDirty = true;
    if (transactions.length === 1) this.#options.settle(transactions[0]!, fault);
    else this.#most = Math.min(this.#most, transactions.length >> 1);
  }

  async #fly(groups: readonly Group[]): Promise<void> {
    const transactions = groups.flatMap((group) => group.transactions);
    for (const transaction of transactions) transaction.stage = "flying";
    const { started } = this.#flight = new Flight({
      storage: this.#options.storage,
      commits: groups.map(({ commit }) => commit),
      pauses: this.#pauses,
      isEarly: this.#batons && ((results) => this.#batons!.areEarly(results)),
      onFault: (fault) => this.#sendsAgain(fault),
    });
    this.#flying = transactions;
    this.#flyingGroups = groups;
    const sent = this.#flight.send();
    this.#batons?.leave(groups);
    const landing = await sent;
    this.#flight = undefined;
    this.#flying = [];
    this.#flyingGroups = [];
    this.#isDirty = true;
    if ("results" in landing) {
      this.#roundTrip += (performance.now() - started - this.#roundTrip) / 8;
      this.#arrive(groups, landing.results);
    } else this.#lose(groups, transactions, landing);
    if (this.#closing.signal.aborted) {
      for (const left of this.#queue) this.#options.settle(left, closed());
    } else {
      this.#rebase();
      this.#schedule();
    }
  }

  /** A reply was lost. */
  #sendsAgain(fault: MpError): void {
    this.#fault = fault;
    for (const transaction of this.#flying) {
      if (transaction.isLate) this.#options.settle(transaction, unknown(transaction, fault));
    }
    this.expired();
  }

  #arrive(groups: readonly Group[], results: readonly CommitResult[]): void {
    this.#fault = undefined;
    this.#faults = 0;
    this.#most *= 2;
    const again: Transaction[] = [];
    results.forEach((result, i) => {
      const { transactions } = groups[i]!;
      if (result.done) this.#done(groups[i]!);
      else {
        this.#refused(groups[i]!, result.current);
        for (const transaction of transactions) {
          transaction.refusals++;
          if (transaction.isLate) this.#options.settle(transaction, conflict(transaction));
        }
        again.push(...transactions);
      }
    });
    this.#queue.unshift(...again);
  }

  #done({ commit, reads, writes, transactions }: Group): void {
    const { overlay, settle } = this.#options;
    const version = versionOf(commit);
    for (const [scope, before] of reads) {
      const state = writes.get(scope)?.state ?? before;
      if (state !== before) state.version = version;
      const known = overlay.confirmed(scope);
      // what others have told meanwhile is newer
      const isOld = state === before && known !== undefined && known !== state;
      // what was used is kept longest
      if (isReply(scope)) overlay.forget(scope);
      else if (!isOld) overlay.confirm(scope, state);
      const seen = { version: state.version!, own: this.#session, roundTrip: this.#roundTrip };
      if (!isOld) this.#rotation.done(scope, seen, performance.now());
      if (state !== before) this.#batons?.landed(scope, version);
    }
    for (const transaction of transactions) settle(transaction);
  }

  #refused({ commit, reads, writes }: Group, current: readonly Versioned[]): void {
    for (const scope of writes.keys()) this.#batons?.refused(scope, versionOf(commit));
    for (const { key, version, value } of current) {
      const scope = encodeKey(key);
      // that a scope is there after all says nothing of others
      const isFirst = reads.get(scope)!.version === null;
      this.#options.overlay.confirm(scope, State.stored(value, version));
      const seen = { version, own: this.#session, roundTrip: this.#roundTrip };
      if (!isFirst) this.#rotation.refused(scope, seen, performance.now());
      if (version !== null && writes.has(scope)) this.#batons?.landed(scope, version);
    }
  }

  /** Takes a request that was not answered. */
  #lose(
    groups: readonly Group[],
    transactions: readonly Transaction[],
    { fault, fate }: Lost,
  ): void {
    const { overlay, settle } = this.#options;
    if (fate === "not_taken") this.#shrink(transactions, fault);
    else if (fault instanceof MpError && fault.code === "storage_unavailable") {
      this.#fault = fault;
    }
    // also when the request was given up after a fault: nobody else may come to see that it has passed
    if (this.#fault !== undefined) this.#recover();
    if (fate === "unknown") {
      // of a commit that is given up, nothing that is sent later may be taken for a repetition
      this.#session = newSession(this.#options.replica);
      this.#seq = 0;
      for (const scope of groups.flatMap(({ reads }) => [...reads.keys()])) {
        overlay.forget(scope);
        this.#batons?.forget(scope);
      }
    }
    for (const transaction of transactions) {
      if (fate === "unknown" && transaction.writes) {
        settle(transaction, unknown(transaction, fault));
      } else if (
        fate === "unknown" || (fate === "not_done" && isLasting(fault)) || transaction.isLate
      ) {
        settle(transaction, unavailable(transaction, fault));
      }
    }
    this.#queue.unshift(...transactions);
  }

  /** After a fault, waits, and looks whether the storage is there again if nothing else does. */
  async #recover(): Promise<void> {
    if (this.#isPausing) return;
    this.#isPausing = true;
    while (this.#fault !== undefined && !this.#closing.signal.aborted) {
      await this.#pauses.pause(backOff(this.#faults++, this.#options.random));
      if (this.#queue.some(({ stage }) => stage !== "settled")) break;
      await this.#options.storage.read([], { signal: this.#closing.signal }).then(
        () => this.#fault = undefined,
        () => {},
      );
    }
    this.#isPausing = false;
    this.#schedule();
  }
}

function isOver({ stage, isLate }: Transaction): boolean {
  return stage === "settled" || isLate;
}
