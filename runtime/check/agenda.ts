/**
 * Which operations of a history are still to be put in order, and which of them may be the next.
 *
 * @module
 */

import type { Operation } from "./history.ts";

/** An operation on an agenda. */
export interface Entry<Input, Output> {
  readonly operation: Operation<Input, Output>;
  /** Its place in the order of returns; among those that never return, in the order of calls. */
  readonly rank: number;
  /** What it asks for, where it never returns: whatever asks for the same can stand for it. */
  readonly asks: string | undefined;
  previous: Entry<Input, Output>;
  next: Entry<Input, Output>;
}

/** See the module. Entries are put back in the reverse order of their being taken. */
export class Agenda<Input, Output> {
  /** In the order of calls, as rings whose head is no entry: those that return, and those that never do. */
  #returning: Entry<Input, Output> = head();
  #pending: Entry<Input, Output> = head();
  /** When those that return do, by rank. */
  #returns: readonly number[];
  #isTaken: Uint8Array;
  /** The first rank that is not taken. */
  #low = 0;
  /** The ranks after it that are. */
  #ahead = new Set<number>();
  #pendingTaken: number[] = [];
  #pendingKey = 0;
  #pendingKeys = new Map<string, number>([["", 0]]);

  constructor(operations: readonly Operation<Input, Output>[]) {
    const called = operations.toSorted((a, b) => a.called - b.called);
    const returning = called.filter(({ returned }) => returned !== undefined)
      .sort((a, b) => a.returned!.at - b.returned!.at);
    this.#returns = returning.map(({ returned }) => returned!.at);
    this.#isTaken = new Uint8Array(returning.length);
    const ranks = new Map(returning.map((operation, rank) => [operation, rank]));
    let pending = 0;
    for (const operation of called) {
      const rank = ranks.get(operation);
      if (rank !== undefined) append(this.#returning, { operation, rank, asks: undefined });
      else {
        const asks = JSON.stringify(operation.input) ?? "";
        append(this.#pending, { operation, rank: pending++, asks });
      }
    }
  }

  /** Whether all that return are in order; what never does need not be. */
  get isDone(): boolean {
    return this.#low === this.#returns.length;
  }

  /** How many of those that return are taken. */
  get taken(): number {
    return this.#low + this.#ahead.size;
  }

  /** A text that names which operations are taken. */
  get key(): string {
    const ahead = [...this.#ahead].sort((a, b) => a - b);
    return `${this.#low}|${ahead}|${this.#pendingKey}`;
  }

  /** Those that return and may be the next: called before the first return of one that is not taken. */
  *candidates(): Generator<Entry<Input, Output>> {
    const before = this.#returns[this.#low]!;
    const ring = this.#returning;
    for (let at = ring.next; at !== ring && at.operation.called <= before; at = at.next) yield at;
  }

  /**
   * Those that never return and may be the next, the oldest of each kind. The kind that was called last comes first:
   * what happened at all most likely happened soon.
   */
  pending(): Entry<Input, Output>[] {
    const before = this.#returns[this.#low]!;
    const ring = this.#pending;
    const oldest = new Map<string, Entry<Input, Output>>();
    const kinds = new Set<string>();
    for (let at = ring.next; at !== ring && at.operation.called <= before; at = at.next) {
      if (!oldest.has(at.asks!)) oldest.set(at.asks!, at);
      // moves it to the end
      kinds.delete(at.asks!);
      kinds.add(at.asks!);
    }
    return [...kinds].reverse().map((asks) => oldest.get(asks)!);
  }

  /** Takes one: it is next in the order. */
  take(entry: Entry<Input, Output>): void {
    entry.previous.next = entry.next;
    entry.next.previous = entry.previous;
    const { rank } = entry;
    if (entry.asks !== undefined) {
      this.#pendingTaken.push(rank);
      this.#namePending();
      return;
    }
    this.#isTaken[rank] = 1;
    if (rank !== this.#low) {
      this.#ahead.add(rank);
      return;
    }
    while (this.#isTaken[this.#low] === 1) this.#ahead.delete(this.#low++);
  }

  /** Undoes the last {@linkcode take} that is not undone. */
  putBack(entry: Entry<Input, Output>): void {
    entry.previous.next = entry;
    entry.next.previous = entry;
    const { rank } = entry;
    if (entry.asks !== undefined) {
      this.#pendingTaken.pop();
      this.#namePending();
      return;
    }
    this.#isTaken[rank] = 0;
    this.#ahead.delete(rank);
    if (rank > this.#low) return;
    while (this.#low > rank + 1) this.#ahead.add(--this.#low);
    this.#low = rank;
  }

  /** Names the set of those that are taken and never return by a number: it is long, and changes seldom. */
  #namePending(): void {
    const text = this.#pendingTaken.toSorted((a, b) => a - b).join();
    let key = this.#pendingKeys.get(text);
    if (key === undefined) this.#pendingKeys.set(text, key = this.#pendingKeys.size);
    this.#pendingKey = key;
  }
}

function head<Input, Output>(): Entry<Input, Output> {
  const ring = {} as Entry<Input, Output>;
  ring.next = ring.previous = ring;
  return ring;
}

function append<Input, Output>(
  ring: Entry<Input, Output>,
  entry: Omit<Entry<Input, Output>, "previous" | "next">,
): void {
  const added = { ...entry, previous: ring.previous, next: ring };
  ring.previous.next = added;
  ring.previous = added;
}
