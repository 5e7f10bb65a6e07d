import { assert, assertEquals, assertFalse } from "@std/assert";
import { Health } from "../../../runtime/peer/health.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

/** Fails so many times; returns whether it was left out by the last one. */
function fail(health: Health, times: number): boolean {
  let isLeftOut = false;
  for (let i = 0; i < times; i++) isLeftOut = health.failed();
  return isLeftOut;
}

Deno.test("Health leaves out what fails five times without an answer between", () => {
  using clock = new VirtualClock();
  const health = new Health();
  assertFalse(health.concerns);
  assertFalse(fail(health, 4));
  assert(health.concerns && health.mayTry(3));
  health.succeeded();
  assertFalse(health.concerns);
  assertFalse(fail(health, 4));
  assert(fail(health, 1));
  assertFalse(health.mayTry(0));
  clock.block(999);
  assertFalse(health.mayTry(0));
});

Deno.test("Health lets one call at a time probe, and leaves out for longer each time", () => {
  using clock = new VirtualClock();
  const health = new Health();
  fail(health, 5);
  const rests: number[] = [];
  for (let i = 0; i < 8; i++) {
    let rest = 0;
    for (; !health.mayTry(0); rest += 250) clock.block(250);
    rests.push(rest);
    assertFalse(health.mayTry(1), "while one call probes");
    assert(health.failed());
    assertFalse(health.failed(), "another one that was under way");
  }
  assertEquals(rests, [1, 2, 4, 8, 16, 30, 30, 30].map((seconds) => 1000 * seconds));
  clock.block(30_000);
  health.succeeded();
  assert(health.mayTry(100));
  assertFalse(health.concerns);
});

Deno.test("Health spares what asks for it, for a second at most, whatever it answers meanwhile", () => {
  using clock = new VirtualClock();
  const health = new Health();
  health.spare(200);
  health.succeeded();
  assert(health.concerns);
  assertFalse(health.mayTry(0));
  clock.block(201);
  assert(health.mayTry(5));
  assertFalse(health.concerns);
  health.spare(60_000);
  clock.block(1_001);
  assert(health.mayTry(0));
});
