import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import fc from "fast-check";
import { MpError } from "../../../runtime/errors.ts";
import { Channel, type ChannelHandlers } from "../../../runtime/peer/channel.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import {
  admit,
  equalInConstantTime,
  type Hello,
  introduce,
} from "../../../runtime/peer/handshake.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";
import { type End, pipe } from "./pipe.ts";

const own = { secret: "s3cret", revision: "r1", name: "leaf.0" };
const hello: Hello = { secret: "s3cret", revision: "r1", from: "gather.0", as: "part" };
const ignore = () => {};

/** A server at the far end of a pipe. */
function server(
  handlers: ChannelHandlers = {},
): { near: End; far: End; admitted: Hello[]; channel: Channel } {
  const [near, far] = pipe();
  const admitted: Hello[] = [];
  const channel = admit(far, own, (hello) => {
    admitted.push(hello);
    return handlers;
  });
  return { near, far, admitted, channel };
}

Deno.test("introduce() gives a channel to a replica that admits the caller", async () => {
  const notices: string[] = [];
  const { near, admitted, channel } = server({
    onCall: (_target, body) => body,
    onNotice: (target) => notices.push(target),
  });
  const closed: unknown[] = [];
  const caller = await introduce(near, hello, {
    name: "leaf.0",
    onClose: (reason) => closed.push(reason),
  });
  assertEquals(admitted, [hello]);
  assertEquals(await caller.call("", "1"), "1");
  caller.notify("hello", "not again");
  caller.notify("other", "");
  await caller.ping(1000);
  assertEquals(notices, ["hello", "other"]);
  assertEquals(closed, []);
  caller.close();
  await channel.closed;
  assertEquals(closed, [undefined]);
});

Deno.test("introduce() fails when secret or revision differ", async () => {
  const cases: [Partial<Record<keyof Hello, unknown>>, string, string][] = [
    [{ secret: "S3cret" }, "unauthorized", "does not belong to this deployment"],
    [{ secret: "" }, "unauthorized", "does not belong"],
    [{ secret: undefined }, "unauthorized", "does not belong"],
    [{ secret: ["s3cret"] }, "unauthorized", "does not belong"],
    [{ revision: "r2" }, "revision_mismatch", "its revision is r2, not r1"],
    // who does not know the secret is not told the revision
    [{ secret: "guess", revision: "r2" }, "unauthorized", "does not belong"],
  ];
  for (const [change, code, message] of cases) {
    const { near, far, admitted, channel } = server();
    const closed: unknown[] = [];
    const error = await assertRejects(
      () =>
        introduce(near, { ...hello, ...change } as Hello, {
          name: "leaf.0",
          onClose: (reason) => closed.push(reason),
        }),
      MpError,
      message,
    );
    assertEquals(error.code, code);
    assertEquals(admitted, []);
    await channel.closed;
    assert(near.closed && far.closed);
    assertEquals(closed, [undefined]);
    assertFalse(far.written.includes("s3cret"));
  }
});

Deno.test("admit() refuses a first line that is no hello", async () => {
  for (const line of ["nbye {}\n", "nhello \n", "nhello null\n", "nhello [\n", "nhello 7\n"]) {
    const { near, far, admitted, channel } = server();
    far.inject(line);
    await channel.closed;
    assert(/^nrefused {"code":"unauthorized"/.test(far.written), far.written);
    assertEquals(admitted, []);
    assert(near.closed);
  }
});

Deno.test("admit() serves no call before hello", async () => {
  let served = 0;
  const { near, channel } = server({ onCall: () => (served++, "1") });
  const stranger = new Channel(near, {}, { name: "leaf.0" });
  const error = await assertRejects(() => stranger.call("", ""), MpError, "did not say hello");
  assertEquals([error.code, served], ["unauthorized", 0]);
  stranger.close();
  await channel.closed;
});

Deno.test("admit() gives up a caller that says nothing for 10 s, and no other", async () => {
  using clock = new VirtualClock();
  const silent = server();
  const { near, channel } = server();
  const caller = await introduce(near, hello, { name: "leaf.0", onClose: ignore });
  await clock.pass(9_900);
  assertFalse(silent.channel.ended);
  await clock.pass(200);
  assert(silent.channel.ended && silent.near.closed);
  await clock.pass(60_000);
  assertFalse(channel.ended);
  caller.close();
  await channel.closed;
  assertEquals([deadlines.size, clock.timers], [0, 0]);
});

Deno.test("introduce() fails when the other side closes, or is none", async () => {
  const talks: ((end: End) => void)[] = [
    (end) => end.close(),
    (end) => end.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")),
    (end) => end.write(new TextEncoder().encode("nrefused {\n")),
    (end) => end.write(new TextEncoder().encode("nrefused null\n")),
  ];
  for (const talk of talks) {
    const [near, far] = pipe();
    let closed = 0;
    const failed = assertRejects(
      () => introduce(near, hello, { name: "leaf.0", onClose: () => closed++ }),
      MpError,
    );
    talk(far);
    assertEquals((await failed).code, "replica_unreachable");
    assertEquals(closed, 1);
    assert(near.closed);
  }
});

Deno.test("introduce() waits until its signal aborts, and not longer", async () => {
  const [near, far] = pipe();
  const controller = new AbortController();
  const failed = assertRejects(
    () => introduce(near, hello, { name: "leaf.0", onClose: ignore, signal: controller.signal }),
    MpError,
  );
  await settled();
  assertFalse(far.closed);
  controller.abort();
  assertEquals((await failed).code, "replica_unreachable");
  assert(near.closed);

  const [end] = pipe();
  const aborted = { name: "leaf.0", onClose: ignore, signal: AbortSignal.abort() };
  await assertRejects(() => introduce(end, hello, aborted), MpError);
  assert(end.closed);
});

Deno.test("introduce() no longer heeds its signal once there is a channel", async () => {
  const { near, channel } = server({ onCall: () => "1" });
  const controller = new AbortController();
  const { signal } = controller;
  const caller = await introduce(near, hello, { name: "leaf.0", onClose: ignore, signal });
  controller.abort();
  assertEquals(await caller.call("", ""), "1");
  caller.close();
  await channel.closed;
});

Deno.test("equalInConstantTime() compares as === does", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
    assertEquals(equalInConstantTime(a, b), a === b);
    assert(equalInConstantTime(a, a));
    assertFalse(equalInConstantTime(a, `${a}x`));
    assertFalse(equalInConstantTime(`${a}x`, a));
  }));
});
