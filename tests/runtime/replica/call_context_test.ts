import { assert, assertEquals, assertFalse, assertStrictEquals } from "@std/assert";
import type { MpError } from "../../../runtime/errors.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import {
  CallContext,
  newRequestId,
  restartRequestIds,
} from "../../../runtime/replica/call_context.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";

const options = {
  service: "s",
  replica: { path: "s", index: 0, count: 1, name: "s.0" },
  timeout: 1_000,
  requestId: "id",
};

Deno.test("CallContext.remaining counts down from the timeout", () => {
  using clock = new VirtualClock();
  const context = new CallContext(options);
  assertEquals([context.timeout, context.remaining], [1_000, 1_000]);
  clock.block(1_500);
  assertEquals([context.timeout, context.remaining], [1_000, -500]);
  assert(Math.abs(context.deadline - (Date.now() - 500)) < 100);
});

Deno.test("CallContext.signal is the caller's when there is one, made once", () => {
  const { signal } = new AbortController();
  let made = 0;
  const context = new CallContext({ ...options, signal: () => (made++, signal) });
  assertEquals(made, 0);
  assertStrictEquals(context.signal, signal);
  assertStrictEquals(context.signal, signal);
  assertEquals(made, 1);
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
