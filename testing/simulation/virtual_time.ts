/**
 * Time that passes only when everything that can be done at one moment has been done.
 *
 * @module
 */

/** When simulations begin: the first day of 2026, in UTC. */
export const BEGINNING = 1_767_225_600_000;

/** A timer of virtual time. */
export class VirtualTimer {
  constructor(
    readonly time: VirtualTime,
    public due: number,
    readonly run: () => void,
    /** Sorts timers that are due at the same time. */
    public order: number,
    /** Of an interval, in milliseconds. */
    readonly every: number | undefined,
  ) {}

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  close(): this {
    this.time.clear(this);
    return this;
  }

  [Symbol.dispose](): void {
    this.time.clear(this);
  }
}

/** See the module's documentation. */
export class VirtualTime {
  /** How long the simulation has run, in milliseconds. */
  now = 0;
  /** A binary heap. */
  #heap: VirtualTimer[] = [];
  #cleared = new Set<VirtualTimer>();
  #count = 0;

  /** Whether a timer waits. */
  get waits(): boolean {
    this.#skip();
    return this.#heap.length > 0;
  }

  /** When the next timer is due. */
  get next(): number | undefined {
    this.#skip();
    return this.#heap[0]?.due;
  }

  set(run: () => void, milliseconds: number, every?: number): VirtualTimer {
    const delay = milliseconds > 0 ? milliseconds : 0;
    const timer = new VirtualTimer(this, this.now + delay, run, ++this.#count, every);
    this.#push(timer);
    return timer;
  }

  clear(timer: VirtualTimer): void {
    this.#cleared.add(timer);
  }

  /** Lets time pass until the next timer, and runs it. */
  step(): void {
    this.#skip();
    const timer = this.#pop();
    if (timer === undefined) return;
    this.now = Math.max(this.now, timer.due);
    if (timer.every !== undefined) {
      timer.due = this.now + Math.max(1, timer.every);
      timer.order = ++this.#count;
      this.#push(timer);
    }
    timer.run();
  }

  /** Takes timers off the heap that were cleared. */
  #skip(): void {
    while (this.#heap.length > 0 && this.#cleared.delete(this.#heap[0]!)) this.#pop();
    // those that have run, and were cleared afterwards
    if (this.#heap.length === 0) this.#cleared.clear();
  }

  #push(timer: VirtualTimer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): VirtualTimer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || last === first) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
