import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import {
  advance,
  type Happening,
  type Life,
  type LifecyclePolicy,
  POLICY,
  UNBORN,
} from "../../../drivers/process/lifecycle.ts";

const policy: LifecyclePolicy = { ...POLICY, stallLimit: 60_000 };

/** What becomes of a life through all that happens, and the last order. */
function live(happenings: readonly Happening[], from: Life = UNBORN) {
  let step = { life: from, order: undefined as unknown };
  for (const happening of happenings) step = advance(step.life, happening, policy);
  return step;
}

const ready = (now = 0): Happening => ({ kind: "ready", now });
const ended = (changes: Partial<Happening & { kind: "ended" }> = {}): Happening => ({
  kind: "ended",
  now: 0,
  how: "exited with 1",
  fatal: false,
  random: 1,
  ...changes,
});
const silent = (milliseconds: number): Happening => ({ kind: "silent", for: milliseconds });

Deno.test("advance() starts a replica that ended again, almost at once the first time", () => {
  const { life, order } = live([ready(), ended()]);
  assertEquals(life.state, "restarting");
  assertEquals([life.restarts, life.failures, life.lastExit], [1, 1, "exited with 1"]);
  assertEquals(life.since, undefined);
  assertEquals(order, { kind: "start", after: 50 });
  assertEquals(live([ready(), ended({ random: 0 })]).order, { kind: "start", after: 0 });
});

Deno.test("advance() doubles the longest wait with each failure in a row", () => {
  const waits = [1, 2, 3, 4].map((count) =>
    live(Array.from({ length: count }, () => ended())).order
  );
  assertEquals(waits, [50, 100, 200, 400].map((after) => ({ kind: "start", after })));
});

Deno.test("advance() calls five failures in a row a crash loop, and goes on with the longest wait", () => {
  for (const random of [0, 0.5, 1]) {
    const { life, order } = live([1, 2, 3, 4, 5].map(() => ended({ random })));
    assertEquals([life.state, life.failures], ["crash loop", 5]);
    const { after } = order as { after: number };
    assertGreaterOrEqual(after, policy.longestDelay / 2);
    assertLessOrEqual(after, policy.longestDelay);
  }
});

Deno.test("advance() leaves a crash loop when the replica is ready, but counts on until it has settled", () => {
  const looping = live([1, 2, 3, 4, 5].map(() => ended())).life;
  const back = live([ready(1_000)], looping).life;
  assertEquals([back.state, back.since], ["ready", 1_000]);
  assertEquals(live([ended({ now: 2_000 })], back).life.state, "crash loop");
  const recovered = live([ended({ now: 1_000 + policy.settled })], back).life;
  assertEquals([recovered.state, recovered.failures], ["restarting", 1]);
});

Deno.test("advance() does not start what would fail again", () => {
  const { life, order } = live([ended({ fatal: true, message: "bad script" })]);
  assertEquals([life.state, life.message], ["stopped", "bad script"]);
  assertEquals(order, { kind: "nothing" });
});

Deno.test("advance() calls a replica busy after a while, and ready when it answers", () => {
  assertEquals(live([ready(), silent(999)]).life.state, "ready");
  const busy = live([ready(7), silent(1_000)]);
  assertEquals([busy.life.state, busy.order], ["busy", { kind: "nothing" }]);
  const again = live([{ kind: "answered" }], busy.life).life;
  assertEquals([again.state, again.since], ["ready", 7]);
});

Deno.test("advance() kills a replica that is silent for too long, ready or not", () => {
  for (const before of [[], [ready()], [ready(), silent(2_000)]]) {
    const { life, order } = live([...before, silent(60_000)]);
    assertEquals([life.state, order], ["stalled", { kind: "kill" }]);
    assertEquals(live([silent(61_000)], life).order, { kind: "nothing" });
    const next = live([ended({ how: "killed by SIGKILL" })], life).life;
    assertEquals([next.state, next.lastExit], [
      "restarting",
      "stalled: its event loop was blocked for 60 s",
    ]);
  }
});

Deno.test("advance() does not start a replica that was told to end", () => {
  const draining = live([ready(), { kind: "drain", again: false }]);
  assertEquals([draining.life.state, draining.order], ["draining", { kind: "nothing" }]);
  assertEquals(live([silent(99_000)], draining.life), draining);
  assertEquals(live([ready()], draining.life).life.state, "draining");
  const { life, order } = live([ended({ how: "exited with 0" })], draining.life);
  assertEquals([life.state, life.lastExit, order], ["stopped", "exited with 0", {
    kind: "nothing",
  }]);
});

Deno.test("advance() starts a replica that was told to begin anew, without calling it a failure", () => {
  const { life, order } = live([
    ended(),
    ready(),
    { kind: "drain", again: true },
    ready(),
    ended({ how: "exited with 0" }),
  ]);
  assertEquals([life.state, life.failures, life.restarts], ["restarting", 0, 2]);
  assertEquals(order, { kind: "start", after: 0 });
  assertEquals(live([ready()], life).life.state, "ready");
});
