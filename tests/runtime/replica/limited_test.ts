import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { Payload } from "../../../runtime/payload.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { fateOf } from "../../../runtime/peer/fate.ts";
import { CallContext } from "../../../runtime/replica/call_context.ts";
import { limited } from "../../../runtime/replica/limited.ts";
import { RpcMetrics } from "../../../runtime/rpc/metrics.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";

const contextOf = (timeout = 1_000) =>
  new CallContext({
    service: "s",
    replica: { path: "s", index: 0, count: 1, name: "s.0" },
    timeout,
    requestId: "id",
  });

/** A limited responder whose calls are answered when the test says so. */
function set(options: { maxConcurrent?: number; maxQueued?: number }) {
  const metrics = new RpcMetrics();
  const begun: unknown[] = [];
  const open: ((value: unknown) => void)[] = [];
  const respond = limited((payload) => {
    begun.push(payload.value);
    return new Promise((resolve) => open.push((value) => resolve(Payload.of(value))));
  }, { ...options, metrics });
  const call = async (value: unknown, context = contextOf()) =>
    (await respond(Payload.of(value), context)).value;
  return { respond, call, metrics, begun, open };
}

Deno.test("limited() answers so many calls at a time, and the others in the order in which they came", async () => {
  const { call, metrics, begun, open } = set({ maxConcurrent: 2 });
  const replies = [1, 2, 3, 4].map((value) => call(value));
  assertEquals([begun, metrics.queued], [[1, 2], 2]);
  open[1]!("b");
  assertEquals(await replies[1], "b");
  await settled();
  assertEquals([begun, metrics.queued], [[1, 2, 3], 1]);
  open[0]!("a");
  open[2]!("c");
  await settled();
  open[3]!("d");
  assertEquals(await Promise.all(replies), ["a", "b", "c", "d"]);
  assertEquals([metrics.queued, metrics.shed, deadlines.size], [0, 0, 0]);
  deadlines.settle();
});

Deno.test("limited() refuses what is beyond its queue, at once, and says when to come back", async () => {
  using clock = new VirtualClock();
  const { respond, call, metrics, open, begun } = set({ maxConcurrent: 1, maxQueued: 1 });
  const first = call(1);
  clock.block(400);
  open[0]!(1);
  await first;
  const [running, waiting] = [call(2), call(3)];
  const error = assertThrows(() => respond(Payload.of(4), contextOf()), MpError);
  assertEquals(error.message, 'Cannot call "s": s.0 answers 1 calls and has 1 waiting');
  assertEquals([error.code, error.service, error.replica], ["overloaded", "s", "s.0"]);
  // who made it knows that it may be made elsewhere
  assertEquals(fateOf(error), "unstarted");
  assert(error.retryAfter! > 1 && error.retryAfter! <= 800, `${error.retryAfter}`);
  assertEquals([metrics.shed, begun], [1, [1, 2]]);
  open[1]!(2);
  await settled();
  open[2]!(3);
  await Promise.all([running, waiting]);
  await clock.pass(50);
  assertEquals(clock.timers, 0);
});

Deno.test("limited() without a queue refuses at once", async () => {
  const { respond, call, open } = set({ maxConcurrent: 1, maxQueued: 0 });
  const running = call(1);
  assertThrows(() => respond(Payload.of(2), contextOf()), MpError);
  open[0]!(1);
  await running;
});

Deno.test("limited() lets nobody wait who has gone away, or whose time is over", async () => {
  using clock = new VirtualClock();
  const { call, metrics, begun, open } = set({ maxConcurrent: 1, maxQueued: 5 });
  const running = call(1);
  const gone = contextOf();
  const left = assertRejects(() => call(2, gone), MpError);
  const late = assertRejects(() => call(3, contextOf(100)), MpError);
  const patient = call(4);
  assertEquals(metrics.queued, 3);
  gone.cancel(new MpError("cancelled", "The caller went away"));
  assertEquals([(await left).code, metrics.queued], ["cancelled", 2]);
  await clock.pass(150);
  const { code, replica, reason } = await late;
  assertEquals([code, replica, reason], ["deadline_exceeded", "s.0", "timed out"]);
  open[0]!(1);
  await settled();
  assertEquals(begun, [1, 4]);
  open[1]!(4);
  assertEquals(await Promise.all([running, patient]), [1, 4]);
  await clock.pass(50);
  assertEquals([metrics.queued, deadlines.size, clock.timers], [0, 0, 0]);
});

Deno.test("limited() gives the place of a call on that fails, or is answered without a promise", async () => {
  let fails = true;
  const wait = Promise.withResolvers<Payload>();
  const respond = limited((payload) => {
    if (payload.value === "wait") return wait.promise;
    if (fails) throw new MpError("handler_failed", "no");
    return payload;
  }, { maxConcurrent: 1, maxQueued: 10_000, metrics: new RpcMetrics() });
  for (let i = 0; i < 3; i++) {
    assertThrows(() => respond(Payload.of(i), contextOf()), MpError, "no");
  }
  const first = respond(Payload.of("wait"), contextOf());
  const failing = respond(Payload.of(1), contextOf()) as Promise<Payload>;
  const failed = assertRejects(() => failing, MpError, "no");
  wait.reject(new MpError("handler_failed", "later"));
  await assertRejects(async () => await first, MpError, "later");
  await failed;
  fails = false;
  // very many that wait are answered without a promise, and not one within the other
  const again = Promise.withResolvers<Payload>();
  let hold = true;
  const deep = limited((payload) => {
    if (!hold) return payload;
    hold = false;
    return again.promise;
  }, { maxConcurrent: 1, maxQueued: 10_000, metrics: new RpcMetrics() });
  const all = Array.from({ length: 10_001 }, (_, i) => deep(Payload.of(i), contextOf()));
  again.resolve(Payload.of("first"));
  const values = (await Promise.all(all)).map(({ value }) => value);
  assertEquals([values[0], values[1], values[10_000]], ["first", 1, 10_000]);
  deadlines.settle();
});

Deno.test("limited() by default lets 10,000 calls run and as many wait", async () => {
  const { respond, metrics, begun, open } = set({});
  const all = Array.from({ length: 20_000 }, (_, i) => respond(Payload.of(i), contextOf()));
  assertThrows(() => respond(Payload.of(0), contextOf()), MpError, "10000 waiting");
  assertEquals([begun.length, metrics.queued, metrics.shed], [10_000, 10_000, 1]);
  for (let i = 0; i < 20_000; i++) {
    open[i]!(i);
    if (i === 9_999) await settled();
  }
  await Promise.all(all);
  deadlines.settle();
});
