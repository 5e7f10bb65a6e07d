import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { Deadlines, Timed } from "../../../runtime/peer/deadlines.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const TICK = 16;

class Entry extends Timed {
  expiredAt: number | undefined;
  times = 0;

  constructor(readonly then: (entry: Entry) => void = () => {}) {
    super();
  }

  override expire(): void {
    this.times++;
    this.expiredAt = performance.now();
    this.then(this);
  }
}

Deno.test("Deadlines expire an entry once, never early and at most two ticks late", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.double({ min: 0, max: 20_000, noNaN: true }), fc.nat(100)), {
        minLength: 1,
        maxLength: 20,
      }),
      async (plan) => {
        using clock = new VirtualClock();
        const wheel = new Deadlines();
        const entries: { entry: Entry; due: number }[] = [];
        for (const [milliseconds, wait] of plan) {
          const entry = new Entry();
          entries.push({ entry, due: performance.now() + milliseconds });
          wheel.add(entry, milliseconds);
          await clock.pass(wait);
        }
        await clock.pass(20_000 + 2 * TICK);
        for (const { entry, due } of entries) {
          assertEquals(entry.times, 1);
          assertGreaterOrEqual(entry.expiredAt!, due);
          assertLessOrEqual(entry.expiredAt!, due + 2 * TICK);
        }
        assertEquals(wheel.size, 0);
        assertEquals(clock.timers, 0);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("Deadlines expire an entry that was added roughly at most three ticks late, and never early", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  const start = performance.now();
  // while something waits, the wheel reads the clock at each tick
  wheel.add(new Entry(), 1000);
  await clock.pass(TICK - 1);
  const first = new Entry();
  wheel.addRoughly(first, 6 * TICK);
  await clock.pass(3 * TICK);
  const second = new Entry();
  wheel.addRoughly(second, 100);
  await clock.pass(2000);
  for (
    const [{ expiredAt, times }, due] of [[first, 7 * TICK - 1], [
      second,
      4 * TICK - 1 + 100,
    ]] as const
  ) {
    assertEquals(times, 1);
    assertGreaterOrEqual(expiredAt! - start, due);
    assertLessOrEqual(expiredAt! - start, due + 3 * TICK);
  }
});

Deno.test("Deadlines read the clock for an entry that is added roughly when nothing else waits", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  wheel.add(new Entry(), 10);
  await clock.pass(1000);
  const start = performance.now();
  const entry = new Entry();
  wheel.addRoughly(entry, 100);
  await clock.pass(1000);
  assertGreaterOrEqual(entry.expiredAt! - start, 100);
});

Deno.test("Deadlines count from the time that they are given", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  const start = performance.now();
  await clock.pass(40);
  const entry = new Entry();
  wheel.add(entry, 150, start);
  await clock.pass(1000);
  assertGreaterOrEqual(entry.expiredAt! - start, 150);
  assertLessOrEqual(entry.expiredAt! - start, 150 + 2 * TICK);
});

Deno.test("Deadlines keep an entry that is due after many turns of the wheel", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  const entry = new Entry();
  const turn = TICK * 512;
  wheel.add(entry, 10 * turn + 5);
  await clock.pass(10 * turn);
  assertEquals(entry.times, 0);
  await clock.pass(5 + 2 * TICK);
  assertEquals(entry.times, 1);
});

Deno.test("Deadlines never expire an entry that is due at Infinity, and can still remove it", async () => {
  for (const milliseconds of [Infinity, NaN, Number.MAX_VALUE]) {
    using clock = new VirtualClock();
    const wheel = new Deadlines();
    const entry = new Entry();
    wheel.add(entry, milliseconds);
    await clock.pass(30_000);
    assertEquals(entry.times, 0);
    wheel.remove(entry);
    assertEquals(wheel.size, 0);
    await clock.pass(TICK);
    assertEquals(clock.timers, 0);
  }
});

Deno.test("Deadlines expire what is due already at the next tick, not after a whole turn", async () => {
  // at every position within a tick, exact multiples included
  for (let offset = 0; offset < TICK; offset += 0.5) {
    for (const milliseconds of [0, -1, -20, -100_000, -Infinity]) {
      using clock = new VirtualClock();
      clock.block(offset);
      const wheel = new Deadlines();
      const entry = new Entry();
      wheel.add(entry, milliseconds);
      await clock.pass(2 * TICK);
      assertEquals(entry.times, 1, `${milliseconds} ms at offset ${offset}`);
    }
  }
});

Deno.test("Deadlines expire everything that became due while the event loop was blocked", async () => {
  for (const blocked of [100, 8_191, 8_192, 8_193, 60_000]) {
    using clock = new VirtualClock();
    const wheel = new Deadlines();
    const due = Array.from({ length: 600 }, (_, i) => {
      const entry = new Entry();
      wheel.add(entry, (i * blocked) / 600);
      return entry;
    });
    const far = new Entry();
    wheel.add(far, blocked + 500);
    clock.block(blocked);
    await clock.pass(2 * TICK);
    assertEquals(due.filter(({ times }) => times === 1).length, 600);
    assertEquals(far.times, 0);
    await clock.pass(500);
    assertEquals(far.times, 1);
  }
});

Deno.test("Deadlines do not expire an entry that another one removed as it expired", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  // all are due in the same slot; the first to expire removes all but the last
  const entries: Entry[] = [];
  let removed = false;
  const removeMost = () => {
    if (removed) return;
    removed = true;
    for (const entry of entries.slice(1, -1)) wheel.remove(entry);
  };
  for (let i = 0; i < 5; i++) {
    const entry = new Entry(removeMost);
    entries.push(entry);
  }
  for (const entry of entries) wheel.add(entry, 10);
  // the slot is swept from the newest entry on
  entries.reverse();
  await clock.pass(3 * TICK);
  assertEquals(entries.map(({ times }) => times), [1, 0, 0, 0, 1]);
  assertEquals(wheel.size, 0);
});

Deno.test("Deadlines take new entries while one expires", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  const next = new Entry();
  const first = new Entry(() => wheel.add(next, 100));
  wheel.add(first, 10);
  await clock.pass(50);
  assertEquals([first.times, next.times], [1, 0]);
  await clock.pass(100 + TICK);
  assertEquals(next.times, 1);
  assertEquals(clock.timers, 0);
});

Deno.test("Deadlines let an entry add itself again as it expires", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  const entry: Entry = new Entry(() => {
    if (entry.times < 5) wheel.add(entry, 0);
  });
  wheel.add(entry, 0);
  await clock.pass(10 * TICK);
  assertEquals(entry.times, 5);
});

Deno.test("Deadlines go on after an entry that threw", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  const later = new Entry();
  wheel.add(
    new Entry(() => {
      throw new Error("must not");
    }),
    10,
  );
  wheel.add(later, 100);
  let thrown: unknown;
  await clock.pass(50).catch((error) => thrown = error);
  assert(thrown instanceof Error);
  await clock.pass(200);
  assertEquals(later.times, 1);
});

Deno.test("Deadlines.settle() stops the timer when nothing waits, and only then", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  const entry = new Entry();
  wheel.add(entry, 10);
  assertEquals(clock.timers, 1);
  wheel.settle();
  assertEquals(clock.timers, 1);
  wheel.remove(entry);
  wheel.remove(entry);
  wheel.settle();
  assertEquals(clock.timers, 0);
  wheel.add(entry, 10);
  await clock.pass(3 * TICK);
  assertEquals(entry.times, 1);
});

Deno.test("Deadlines have one timer however many entries there are", () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  for (let i = 0; i < 1000; i++) wheel.add(new Entry(), i * 10);
  assertEquals([wheel.size, clock.timers], [1000, 1]);
});

Deno.test("Deadlines.clear() forgets what waits, and goes on for what comes", async () => {
  using clock = new VirtualClock();
  const wheel = new Deadlines();
  const forgotten = [new Entry(), new Entry(), new Entry()];
  for (const entry of forgotten) wheel.add(entry, 10);
  wheel.clear();
  assertEquals([wheel.size, clock.timers], [0, 0]);
  const later = new Entry();
  wheel.add(later, 10);
  wheel.remove(forgotten[0]!);
  await clock.pass(3 * TICK);
  assertEquals([...forgotten, later].map(({ times }) => times), [0, 0, 0, 1]);
});
