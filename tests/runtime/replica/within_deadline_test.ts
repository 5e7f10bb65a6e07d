import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { CallContext } from "../../../runtime/replica/call_context.ts";
import { withinDeadline } from "../../../runtime/replica/within_deadline.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const context = () =>
  new CallContext({
    service: "s",
    replica: { path: "s", index: 0, count: 1, name: "s.0" },
    timeout: 1_500,
    requestId: "id",
  });

Deno.test("withinDeadline() is the reply, or its error, when that comes in time", async () => {
  assertEquals(await withinDeadline(Promise.resolve(7), context()), 7);
  const error = new Error("no");
  const thrown = await assertRejects(() => withinDeadline(Promise.reject(error), context()));
  assertStrictEquals(thrown, error);
  assertEquals(deadlines.size, 0);
  deadlines.settle();
});

Deno.test("withinDeadline() fails a call whose handler hangs", async () => {
  using clock = new VirtualClock();
  const failed = assertRejects(
    () => withinDeadline(new Promise(() => {}), context()),
    MpError,
    'Cannot call "s": no answer within 1.5 s',
  );
  await clock.pass(1_500);
  // errors of calls to parts, which have the same deadline, come first
  assertEquals(deadlines.size, 1);
  await clock.pass(80);
  const { code, service, replica, reason } = await failed;
  assertEquals([code, service, replica, reason], ["deadline_exceeded", "s", "s.0", "timed out"]);
  assertEquals(clock.timers, 0);
});
