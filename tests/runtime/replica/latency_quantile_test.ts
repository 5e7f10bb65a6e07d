import { assert, assertEquals } from "@std/assert";
import { LatencyQuantile } from "../../../runtime/replica/latency_quantile.ts";

/** Whether the one is the other, but for the width of a bucket. */
function assertNear(actual: number | undefined, expected: number): void {
  assert(actual! >= expected && actual! <= expected * 1.2, `${actual} is not near ${expected}`);
}

Deno.test("LatencyQuantile says nothing before it knows enough", () => {
  const p95 = new LatencyQuantile(0.95);
  for (let i = 0; i < 99; i++) p95.observe(5);
  assertEquals(p95.value, undefined);
  for (let i = 0; i < 64; i++) p95.observe(5);
  assertNear(p95.value, 5);
});

Deno.test("LatencyQuantile is what 95 of 100 are below", () => {
  const p95 = new LatencyQuantile(0.95);
  for (let i = 0; i < 6_400; i++) p95.observe(1 + i % 100);
  assertNear(p95.value, 95);
  const p50 = new LatencyQuantile(0.5);
  for (let i = 0; i < 6_400; i++) p50.observe(1 + i % 100);
  assertNear(p50.value, 50);
});

Deno.test("LatencyQuantile forgets what is long ago", () => {
  const p95 = new LatencyQuantile(0.95);
  for (let i = 0; i < 5_000; i++) p95.observe(400);
  for (let i = 0; i < 20_000; i++) p95.observe(2);
  assertNear(p95.value, 2);
});

Deno.test("LatencyQuantile takes what is out of all bounds", () => {
  const p95 = new LatencyQuantile(0.95);
  for (let i = 0; i < 300; i++) p95.observe(0);
  assert(p95.value! <= 0.2);
  for (let i = 0; i < 5_000; i++) p95.observe(1e9);
  assert(p95.value! > 60_000);
});
