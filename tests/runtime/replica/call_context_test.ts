import { assert, assertEquals, assertFalse, assertStrictEquals } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import {
  CallContext,
  type Dependent,
  newRequestId,
  restartRequestIds,
} from "../../../runtime/replica/call_context.ts";
import type { View } from "../../../runtime/transact/view.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";

const options = {
  service: "s",
  replica: { path: "s", index: 0, count: 1, name: "s.0" },
  timeout: 1_000,
  requestId: "id",
};

function dependent(cancel: (reason: MpError) => void): Dependent {
  return { cancel, previousDependent: undefined, nextDependent: undefined };
}

Deno.test("CallContext.remaining counts down from the timeout", () => {
  using clock = new VirtualClock();
  const context = new CallContext(options);
  assertEquals([context.timeout, context.remaining], [1_000, 1_000]);
  clock.block(1_500);
  assertEquals([context.timeout, context.remaining], [1_000, -500]);
  assert(Math.abs(context.deadline - (Date.now() - 500)) < 100);
});

/** A caller from outside, and how often it was looked whether it is still there. */
function callerOf() {
  const controller = new AbortController();
  const caller = {
    looks: 0,
    get signal() {
      caller.looks++;
      return controller.signal;
    },
    leave: () => controller.abort(),
  };
  return caller;
}

Deno.test("CallContext.signal aborts when the caller goes away, and is made once", () => {
  const caller = callerOf();
  const context = new CallContext({ ...options, caller });
  assertEquals(caller.looks, 0);
  const { signal } = context;
  assertStrictEquals(context.signal, signal);
  assertEquals(caller.looks, 1);
  caller.leave();
  assertEquals((signal.reason as MpError).code, "cancelled");
  context.end();
  deadlines.settle();
});

Deno.test("CallContext.expect() looks for the caller only when there is no answer yet", async () => {
  using clock = new VirtualClock();
  const caller = callerOf();
  const context = new CallContext({ ...options, caller });
  context.expect(() => {});
  await clock.pass(48);
  assertEquals(caller.looks, 0);
  await clock.pass(40);
  assertEquals(caller.looks, 1);
  const given: (MpError | undefined)[] = [];
  context.adopt(dependent((reason) => given.push(reason)));
  caller.leave();
  assertEquals([given.length, given[0]?.code, context.cancelled?.code], [
    1,
    "cancelled",
    "cancelled",
  ]);
  assert(context.signal.aborted);
  context.answered();
  assertEquals(deadlines.size, 0);
  await clock.pass(50);
  assertEquals(clock.timers, 0);
});

Deno.test("CallContext.answered() lets the caller go", async () => {
  using clock = new VirtualClock();
  const caller = callerOf();
  const context = new CallContext({ ...options, caller });
  const { signal } = context;
  context.expect(() => {});
  context.adopt(dependent(() => assert(false)));
  context.end();
  assertEquals(deadlines.size, 1, "the answer is still to come");
  context.answered();
  caller.leave();
  assertEquals([signal.aborted, deadlines.size, context.cancelled], [false, 0, undefined]);
  await clock.pass(50);
  assertEquals(clock.timers, 0);
});

Deno.test("CallContext.cancel() ends all that is done for the call, and for it in other names", () => {
  const context = new CallContext(options);
  const inner = new CallContext({ ...options, parent: context });
  const given: string[] = [];
  const made = ["a", "b", "c", "d"].map((name) => dependent(() => given.push(name)));
  context.adopt(made[0]!);
  inner.adopt(made[1]!);
  context.adopt(made[2]!);
  inner.adopt(made[3]!);
  inner.release(made[2]!);
  inner.release(made[2]!);
  const reason = new MpError("cancelled", "enough");
  context.cancel(reason);
  context.cancel(new MpError("cancelled", "again"));
  assertEquals(given.sort(), ["a", "b", "d"]);
  assertStrictEquals(inner.cancelled, reason);
  assertStrictEquals(inner.signal.reason, reason);
});

Deno.test("CallContext.again() is cancelled with the call that it is another run of", () => {
  const context = new CallContext(options);
  context.end();
  const next = context.again({} as View);
  const { signal } = next;
  assertEquals([signal.aborted, deadlines.size], [false, 1]);
  context.cancel(new MpError("cancelled", "enough"));
  assert(signal.aborted);
  next.end();
  assertEquals(deadlines.size, 0);
  deadlines.settle();
});

Deno.test("CallContext.signal otherwise aborts at the deadline", async () => {
  using clock = new VirtualClock();
  const context = new CallContext(options);
  clock.block(400);
  const { signal } = context;
  assertStrictEquals(context.signal, signal);
  await clock.pass(590);
  assertFalse(signal.aborted);
  await clock.pass(50);
  assertEquals((signal.reason as MpError).code, "deadline_exceeded");
  assertEquals([deadlines.size, clock.timers], [0, 0]);
});

Deno.test("CallContext.end() gives up the deadline of its signal", () => {
  const before = new CallContext(options);
  const { signal } = before;
  assertEquals(deadlines.size, 1);
  before.end();
  assertEquals([deadlines.size, signal.aborted], [0, false]);
  const after = new CallContext(options);
  after.end();
  assertFalse(after.signal.aborted);
  assertEquals(deadlines.size, 0);
  deadlines.settle();
});

Deno.test("CallContext.current is found in the handler, also after an await, and nowhere else", async () => {
  const one = new CallContext(options);
  const other = new CallContext({ ...options, service: "other" });
  const deep = async () => {
    const first = CallContext.current;
    await settled();
    return [first, CallContext.current];
  };
  assertEquals(CallContext.current, undefined);
  const [a, b] = await Promise.all([
    one.run((request: number, context) => {
      assertEquals(request, 7);
      assertStrictEquals(context, one);
      return deep();
    }, 7),
    other.run(() => deep(), undefined),
  ]);
  assert(a.every((context) => context === one));
  assert(b.every((context) => context === other));
  assertEquals(CallContext.current, undefined);
});

Deno.test("newRequestId() gives short ids that are never the same", () => {
  const ids = new Set(Array.from({ length: 10_000 }, newRequestId));
  assertEquals(ids.size, 10_000);
  for (const id of ids) assert(/^[0-9a-f]{8}-[0-9a-z]+$/.test(id), id);
});

Deno.test("restartRequestIds() gives the same ids again", () => {
  restartRequestIds("s");
  const first = [newRequestId(), newRequestId()];
  restartRequestIds("s");
  assertEquals([newRequestId(), newRequestId()], first);
  assertEquals(first, ["s-1", "s-2"]);
  restartRequestIds(crypto.randomUUID().slice(0, 8));
});

Deno.test("CallContext.trace is read from the caller's headers when it is asked for, and held", () => {
  let reads = 0;
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const headers = {
    get traceparent() {
      reads++;
      return traceparent;
    },
    tracestate: undefined,
  };
  const context = new CallContext({ ...options, headers });
  assertEquals(reads, 0);
  assertEquals(context.trace, { traceparent });
  context.answered();
  assertEquals([context.trace, reads], [{ traceparent }, 1]);
  // an answered call holds no request
  const unread = new CallContext({ ...options, headers });
  unread.answered();
  assertEquals([unread.trace, reads], [undefined, 1]);
});
