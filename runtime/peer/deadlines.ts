/**
 * Many deadlines on one coarse timer.
 *
 * A hashed timing wheel (Varghese and Lauck, 1987, scheme 6): adding and removing an entry costs a few
 * assignments, and one timer ticks while there are entries. A deadline is noticed up to two ticks late
 * and never early.
 *
 * @module
 */

const TICK = 16;
const SLOTS = 512;
/** Some thousand years: what never passes, and still has a slot. */
const NEVER = 1e14;

/** An entry of the wheel; it is its own list node, so that a call allocates nothing more. */
export abstract class Timed {
  /** @internal */ slot = -1;
  /** @internal */ due = 0;
  /** @internal */ previous: Timed | undefined = undefined;
  /** @internal */ next: Timed | undefined = undefined;
  /** Called once, when the deadline has passed. It must not throw. */
  abstract expire(): void;
}

/** A set of deadlines. One for a process is enough: {@linkcode deadlines}. */
export class Deadlines {
  #slots: (Timed | undefined)[] = new Array(SLOTS).fill(undefined);
  #size = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The last tick whose slot has been swept. */
  #swept = 0;
  #sweeping = false;
  /** The last time that the clock was read, by `performance.now()`. */
  #read = 0;

  /** How many entries wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds an entry that expires `milliseconds` from now (never, for `Infinity`); entries are added once.
   *
   * @param now By `performance.now()`, for who has just read it: a reading costs as much as all the rest.
   */
  add(entry: Timed, milliseconds: number, now: number = performance.now()): void {
    this.#read = now;
    if (this.#timer === undefined && !this.#sweeping) {
      this.#swept = Math.floor(now / TICK);
      this.#arm();
    }
    // a comparison with NaN is false
    entry.due = now + (milliseconds < NEVER ? milliseconds : NEVER);
    // what is due already must not land in a slot that comes round only after a whole turn
    const slot = Math.max(Math.ceil(entry.due / TICK), this.#swept + 1) % SLOTS;
    const head = this.#slots[slot];
    entry.slot = slot;
    entry.next = head;
    if (head) head.previous = entry;
    this.#slots[slot] = entry;
    this.#size++;
  }

  /**
   * Adds an entry without a look at the clock, for what need not be exact: it is noticed up to three ticks
   * late, and early by as long as the event loop has just been blocked.
   */
  addRoughly(entry: Timed, milliseconds: number): void {
    if (this.#timer === undefined) this.add(entry, milliseconds + TICK);
    else this.add(entry, milliseconds + TICK, this.#read);
  }

  /** Removes an entry; removing one that is not there does nothing. */
  remove(entry: Timed): void {
    if (entry.slot < 0) return;
    if (entry.previous) entry.previous.next = entry.next;
    else this.#slots[entry.slot] = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    entry.previous = entry.next = undefined;
    entry.slot = -1;
    this.#size--;
  }

  /** Forgets all entries, which never expire; for a simulation, which ends with calls that still wait. */
  clear(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let entry = this.#slots[slot]; entry !== undefined; entry = this.#slots[slot]) {
        this.remove(entry);
      }
    }
    this.settle();
  }

  /** Stops the timer if nothing waits; it would otherwise stop by itself within a tick. */
  settle(): void {
    if (this.#size > 0 || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = setTimeout(this.#tick, TICK);
  }

  #tick = (): void => {
    this.#timer = undefined;
    this.#sweeping = true;
    const now = this.#read = performance.now();
    const current = Math.floor(now / TICK);
    // after a long block every slot is due at most once
    const first = Math.max(this.#swept + 1, current - SLOTS + 1);
    this.#swept = current;
    try {
      for (let tick = first; tick <= current; tick++) this.#sweep(tick % SLOTS, now);
    } finally {
      this.#sweeping = false;
      if (this.#size > 0) this.#arm();
    }
  };

  #sweep(slot: number, now: number): void {
    let due: Timed[] | undefined;
    for (let entry = this.#slots[slot]; entry !== undefined; entry = entry.next) {
      if (entry.due <= now) (due ??= []).push(entry);
    }
    if (due === undefined) return;
    for (const entry of due) {
      // one that expired before it may have removed it
      if (entry.slot !== slot || entry.due > now) continue;
      this.remove(entry);
      entry.expire();
    }
  }
}

/** The deadlines of this process. */
export const deadlines = new Deadlines();
