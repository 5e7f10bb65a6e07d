import { assertEquals } from "@std/assert";
import { seededRandom } from "../../../testing/simulation/seeded_random.ts";
import { VirtualTime } from "../../../testing/simulation/virtual_time.ts";

Deno.test("VirtualTime runs timers in the order of their time, then of their making", () => {
  const time = new VirtualTime();
  const ran: string[] = [];
  const random = seededRandom("order");
  const wanted: [number, number][] = [];
  for (let i = 0; i < 300; i++) {
    const due = random.below(20);
    wanted.push([due, i]);
    time.set(() => ran.push(`${time.now} ${i}`), due);
  }
  while (time.waits) time.step();
  wanted.sort(([a, i], [b, j]) => a - b || i - j);
  assertEquals(ran, wanted.map(([due, i]) => `${due} ${i}`));
});

Deno.test("VirtualTime.clear() takes timers away, before and after they have run", () => {
  const time = new VirtualTime();
  const ran: number[] = [];
  const timers = [5, 1, 3].map((due) => time.set(() => ran.push(due), due));
  time.clear(timers[1]!);
  time.step();
  time.clear(timers[2]!);
  assertEquals([time.waits, time.next], [true, 5]);
  time.step();
  time.step();
  assertEquals([ran, time.waits, time.now], [[3, 5], false, 5]);
});

Deno.test("VirtualTime repeats intervals until they are cleared", () => {
  const time = new VirtualTime();
  const ran: number[] = [];
  const timer = time.set(
    () => {
      ran.push(time.now);
      if (ran.length === 3) time.clear(timer);
    },
    10,
    10,
  );
  for (let i = 0; i < 10 && time.waits; i++) time.step();
  assertEquals(ran, [10, 20, 30]);
});

Deno.test("seededRandom() gives the same numbers for the same seed, and forks do not depend on use", () => {
  const take = (random: () => number) => Array.from({ length: 5 }, random);
  assertEquals(take(seededRandom("7")), take(seededRandom("7")));
  const used = seededRandom("7");
  take(used);
  assertEquals(take(used.fork("a")), take(seededRandom("7").fork("a")));
  assertEquals(take(used.fork("a")).join() === take(used.fork("b")).join(), false);
});

Deno.test("seededRandom() is even", () => {
  const random = seededRandom("even");
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) counts[random.below(10)]!++;
  assertEquals(counts.filter((count) => count < 880 || count > 1_120), []);
  assertEquals(["a", "b"].includes(random.pick(["a", "b"])), true);
});
