import { assertEquals } from "@std/assert";
import { Hedging } from "../../../runtime/replica/hedging.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

Deno.test("Hedging makes calls again after their time, with one timer, and only those still there", async () => {
  using clock = new VirtualClock();
  const hedging = new Hedging({ after: 20 });
  const hedged: string[] = [];
  const add = (name: string) => hedging.add({ hedge: () => hedged.push(name) }, performance.now())!;
  const [a, b, c] = [add("a"), add("b"), add("c")];
  await clock.pass(10);
  const d = add("d");
  assertEquals(clock.timers, 1);
  hedging.remove(b);
  hedging.remove(b);
  await clock.pass(11);
  assertEquals(hedged, ["a", "c"]);
  for (const entry of [a, c]) hedging.remove(entry);
  await clock.pass(10);
  assertEquals([hedged, clock.timers], [["a", "c", "d"], 0]);
  hedging.remove(d);
  const last = add("last");
  hedging.remove(last);
  assertEquals(clock.timers, 0);
});

Deno.test("Hedging after the 95th percentile waits until that is known", async () => {
  using clock = new VirtualClock();
  const hedging = new Hedging({ after: "p95" });
  let hedged = 0;
  const call = { hedge: () => void hedged++ };
  assertEquals(hedging.add(call, performance.now()), undefined);
  for (let i = 0; i < 500; i++) hedging.observe(i % 25 === 0 ? 900 : 10);
  hedging.add(call, performance.now());
  await clock.pass(9);
  assertEquals(hedged, 0);
  await clock.pass(4);
  assertEquals([hedged, clock.timers], [1, 0]);
});
