import { assert, assertEquals, assertFalse, assertInstanceOf, assertRejects } from "@std/assert";
import fc from "fast-check";
import { MpError } from "../../../runtime/errors.ts";
import { Channel } from "../../../runtime/peer/channel.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { fateOf, withFate } from "../../../runtime/peer/fate.ts";
import type { InboundCall } from "../../../runtime/peer/inbound_call.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";
import { channelPair } from "./channel_pair.ts";
import { pipe } from "./pipe.ts";

const echo = (_target: string, body: string) => body;

async function codeOf(promise: Promise<unknown>): Promise<[string, string | undefined]> {
  const error = await assertRejects(() => promise, MpError);
  return [error.code, error.reason];
}

Deno.test("Channel.call() gives target, body, meta and timeout to the other side and its answer back", async () => {
  const seen: unknown[] = [];
  using pair = channelPair({
    there: {
      onCall(target, body, call) {
        seen.push([target, body, call.meta, call.timeout]);
        return '{"ok":true}';
      },
    },
  });
  const reply = await pair.here.call("add", "[1,2]", { meta: '"id 7"', timeout: 1234.5 });
  assertEquals(reply, '{"ok":true}');
  assertEquals(await pair.here.call("", ""), '{"ok":true}');
  assertEquals(seen, [["add", "[1,2]", '"id 7"', 1235], ["", "", "", 30_000]]);
});

Deno.test("Channel.call() carries many calls at once and takes their answers in any order", async () => {
  const answers: (() => void)[] = [];
  using pair = channelPair({
    there: {
      onCall: (_target, body) =>
        new Promise<string>((resolve) => answers.push(() => resolve(`"${body}"`))),
    },
  });
  const replies = Array.from({ length: 1000 }, (_, i) => pair.here.call("t", String(i)));
  await settled();
  assertEquals([pair.here.pending, pair.there.serving], [1000, 1000]);
  for (const answer of answers.reverse()) answer();
  assertEquals(await Promise.all(replies), replies.map((_, i) => `"${i}"`));
  assertEquals([pair.here.pending, pair.there.serving], [0, 0]);
});

Deno.test("Channel carries calls in both directions at once, and calls within calls", async () => {
  using pair = channelPair({
    here: { onCall: async (_, body) => body === "0" ? "0" : await pair.here.call("", count(body)) },
    there: {
      onCall: async (_, body) => body === "0" ? "0" : await pair.there.call("", count(body)),
    },
  });
  const count = (body: string) => String(Number(body) - 1);
  const [a, b] = await Promise.all([pair.here.call("", "50"), pair.there.call("", "51")]);
  assertEquals([a, b], ["0", "0"]);
});

Deno.test("Channel gives every body back as it was, however the bytes are split", async () => {
  const body = fc.oneof(fc.jsonValue({ depthSize: "small" }), fc.string({ unit: "binary" }))
    .map((value) => JSON.stringify(value));
  await fc.assert(
    fc.asyncProperty(
      fc.array(body, { maxLength: 20 }),
      fc.array(body, { maxLength: 20 }),
      fc.integer({ min: 1, max: 64 }),
      async (there, back, chunk) => {
        using pair = channelPair({ chunk, here: { onCall: echo }, there: { onCall: echo } });
        const replies = await Promise.all([
          ...there.map((text) => pair.here.call("x", text)),
          ...back.map((text) => pair.there.call("y", text)),
        ]);
        assertEquals(replies, [...there, ...back]);
      },
    ),
  );
});

Deno.test("Channel reads a conversation that is cut in two at any byte", async () => {
  const texts = ['"é"', '"日本"', '"👩‍👩‍👧"', '"\uFEFF"', '"\\ud800"', "null", "", '{"a":"\\n\\t"}'];
  const lines = texts.map((text, i) => `c${i} 1000 t m\t${text}\n`).join("") + "nnotice {}\np9\n";
  const bytes = new TextEncoder().encode(lines);
  for (let cut = 1; cut < bytes.length; cut++) {
    const [near, far] = pipe();
    const seen: string[] = [];
    const channel = new Channel(near, {
      onCall: (_target, body) => (seen.push(body), body),
      onNotice: (target, body) => seen.push(`${target}=${body}`),
    });
    near.inject(bytes.slice(0, cut));
    await settled();
    near.inject(bytes.slice(cut));
    await settled();
    assertEquals(seen, [...texts, "notice={}"], `cut at byte ${cut}`);
    assertEquals(near.written, texts.map((text, i) => `r${i} ${text}\n`).join("") + "q9\n");
    channel.close();
    assert(far.closed);
  }
});

Deno.test("Channel carries very large messages over many reads, between small ones", async () => {
  const large = JSON.stringify("é日".repeat(2_000_000));
  using pair = channelPair({ chunk: 50_001, there: { onCall: echo } });
  const replies = await Promise.all([
    pair.here.call("", "1"),
    pair.here.call("", large),
    pair.here.call("", "2"),
    pair.here.call("", large),
  ]);
  assertEquals(replies.map((reply) => reply.length), [1, large.length, 1, large.length]);
  assert(replies[1] === large && replies[3] === large);
  assertEquals(await pair.here.call("", "3"), "3");
});

Deno.test("Channel sends what one turn of the event loop sends in one write", async () => {
  const [near, far] = pipe();
  let writes = 0;
  const channel = new Channel({
    read: (into) => near.read(into),
    write: (bytes) => (writes++, near.write(bytes)),
    close: () => near.close(),
  });
  const other = new Channel(far, { onCall: echo });
  await Promise.all(Array.from({ length: 100 }, (_, i) => channel.call("", String(i))));
  assertEquals(writes, 1);
  channel.close();
  await other.closed;
});

Deno.test("Channel leaves bytes as they are until they are written", async () => {
  const written: Uint8Array[] = [];
  const copies: Uint8Array[] = [];
  let onWrite = () => {};
  let finish = () => {};
  const channel = new Channel({
    read: () => new Promise(() => {}),
    write(bytes) {
      written.push(bytes);
      copies.push(bytes.slice());
      onWrite();
      return new Promise((resolve) => finish = () => resolve(bytes.length));
    },
    close() {},
  });
  // short enough for memory that is used again, longer than what there is of it, and too long for it
  for (const length of [10, 10, 9_000, 10, 30_000, 10]) {
    const leaving = new Promise<void>((resolve) => onWrite = resolve);
    channel.notify("note", `"${"é".repeat(length)}"`);
    await leaving;
    channel.notify("note", `"meanwhile"`);
    await Promise.resolve();
    assertEquals(written.at(-1), copies.at(-1));
    assertEquals(
      new TextDecoder().decode(written.at(-1)).startsWith(`nnote "${"é".repeat(length)}"\n`),
      true,
    );
    const next = new Promise<void>((resolve) => onWrite = resolve);
    finish();
    await next;
    assertEquals(new TextDecoder().decode(written.at(-1)), `nnote "meanwhile"\n`);
    finish();
    await channel.flush();
  }
  channel.close();
});

Deno.test("Channel writes on when the system takes a part only", async () => {
  const [near, far] = pipe();
  const channel = new Channel({
    read: (into) => near.read(into),
    write: (bytes) => near.write(bytes.subarray(0, 7)),
    close: () => near.close(),
  });
  const other = new Channel(far, { onCall: echo });
  const text = JSON.stringify("x".repeat(1000));
  assertEquals(await channel.call("", text), text);
  channel.close();
  await other.closed;
});

Deno.test("Channel.call() keeps of an MpError what callers may know", async () => {
  using pair = channelPair({
    there: {
      onCall() {
        throw new MpError("invalid_shard_key", 'Cannot\tchoose "日本"\n: why', {
          service: "s",
          replica: "s.shard.0",
          reason: "because",
          next: "Use a string",
          where: "/home/me/topology.ts:1:1",
          cause: new Error("secret"),
        });
      },
    },
  });
  const error = await assertRejects(() => pair.here.call("", ""), MpError);
  assertEquals(error.toData(), {
    code: "invalid_shard_key",
    message: 'Cannot\tchoose "日本"\n: why',
    service: "s",
    replica: "s.shard.0",
    reason: "because",
    next: "Use a string",
  });
  assertEquals([error.where, error.cause], [undefined, undefined]);
  assertFalse(pair.thereEnd.written.includes("secret"));
  assertFalse(pair.thereEnd.written.includes("/home"));
});

Deno.test("Channel.call() makes handler_failed of whatever else the other side throws", async () => {
  const thrown: [unknown, string][] = [
    [new TypeError("no"), "no"],
    ["text", "text"],
    [undefined, "undefined"],
    [null, "null"],
    [Object.create(null), "a value that cannot be shown"],
  ];
  for (const [value, message] of thrown) {
    for (const later of [false, true]) {
      using pair = channelPair({
        there: {
          onCall() {
            if (later) return Promise.reject(value);
            throw value;
          },
        },
      });
      const error = await assertRejects(() => pair.here.call("", ""), MpError);
      assertEquals([error.code, error.message], ["handler_failed", message]);
    }
  }
});

Deno.test("Channel.call() makes internal_error of a code that is not known", async () => {
  const [near, far] = pipe();
  const channel = new Channel(near);
  const reply = channel.call("", "");
  await settled();
  near.inject('e1 {"code":"from_the_future","message":"hm"}\n');
  const error = await assertRejects(() => reply, MpError, "hm");
  assertEquals(error.code, "internal_error");
  channel.close();
  assert(far.closed);
});

Deno.test("Channel refuses calls when nothing is served", async () => {
  using pair = channelPair();
  assertEquals(await codeOf(pair.here.call("", "")), ["method_not_found", undefined]);
});

Deno.test("Channel.call() is cancelled here and at the other end by its signal", async () => {
  const { promise: arrived, resolve } = Promise.withResolvers<InboundCall>();
  using pair = channelPair({
    there: {
      onCall(_target, _body, call) {
        resolve(call);
        return new Promise((_, reject) => {
          call.signal().addEventListener("abort", () => reject(call.signal().reason));
        });
      },
    },
  });
  const controller = new AbortController();
  const reply = pair.here.call("", "", { signal: controller.signal });
  const call = await arrived;
  assertFalse(call.signal().aborted);
  controller.abort(new Error("enough"));
  const error = await assertRejects(() => reply, MpError, "The call was cancelled");
  assertEquals([error.code, (error.cause as Error).message], ["cancelled", "enough"]);
  await settled();
  assertEquals((call.signal().reason as MpError).code, "cancelled");
  assertEquals(pair.there.serving, 0);
  // nothing is answered to a call that is no longer waited for
  assertEquals(pair.thereEnd.written, "");
  // aborting again does nothing
  controller.abort();
  await settled();
});

Deno.test("Channel.call() sends nothing when its signal has aborted already", async () => {
  using pair = channelPair({ there: { onCall: echo } });
  const reason = new MpError("interrupted", "The launcher ends");
  const error = await assertRejects(
    () => pair.here.call("", "", { signal: AbortSignal.abort(reason) }),
  );
  assertEquals(error, reason);
  await settled();
  assertEquals(pair.hereEnd.written, "");
  assertEquals(pair.here.pending, 0);
});

Deno.test("Channel.call() listens to its signal no longer than it takes", async () => {
  using pair = channelPair({ there: { onCall: echo } });
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener: add, removeEventListener: remove } = signal;
  signal.addEventListener = (...args: unknown[]) => {
    listeners++;
    Reflect.apply(add, signal, args);
  };
  signal.removeEventListener = (...args: unknown[]) => {
    listeners--;
    Reflect.apply(remove, signal, args);
  };
  const reply = pair.here.call("", "1", { signal });
  assertEquals(listeners, 1);
  await reply;
  assertEquals(listeners, 0);
});

Deno.test("Channel.call() fails with deadline_exceeded when its time is over, at both ends", async () => {
  using clock = new VirtualClock();
  let call: InboundCall | undefined;
  using pair = channelPair({
    there: {
      onCall(_target, _body, inbound) {
        call = inbound;
        inbound.signal();
        return new Promise(() => {});
      },
    },
  });
  const reply = pair.here.call("", "", { timeout: 2_500 });
  const failed = assertRejects(() => reply, MpError, "Cannot call there: no answer within 2.5 s");
  await clock.pass(2_499);
  assertEquals(pair.here.pending, 1);
  assertFalse(call!.signal().aborted);
  await clock.pass(40);
  const error = await failed;
  assertEquals(
    [error.code, error.replica, error.reason],
    ["deadline_exceeded", "there", "timed out"],
  );
  assert(call!.signal().aborted);
  assertEquals([pair.here.pending, pair.there.serving], [0, 0]);
});

Deno.test("InboundCall.signal() aborts at the caller's deadline even when the caller is silent", async () => {
  using clock = new VirtualClock();
  const [near, far] = pipe();
  let signal: AbortSignal | undefined;
  const channel = new Channel(near, {
    onCall(_target, _body, call) {
      signal = call.signal();
      assert(signal === call.signal());
      return new Promise(() => {});
    },
  });
  near.inject("c1 500 t \t\n");
  await clock.pass(499);
  assertFalse(signal!.aborted);
  await clock.pass(40);
  assertEquals((signal!.reason as MpError).code, "deadline_exceeded");
  channel.close();
  assert(far.closed);
  assertEquals(clock.timers, 0);
});

Deno.test("InboundCall.signal() holds no deadline once the call is answered", async () => {
  using clock = new VirtualClock();
  const calls: InboundCall[] = [];
  using pair = channelPair({
    there: {
      onCall(_target, body, call) {
        calls.push(call);
        if (body === "early") call.signal();
        return "1";
      },
    },
  });
  await Promise.all([pair.here.call("", "early"), pair.here.call("", "late")]);
  calls[1]!.signal();
  await clock.pass(16);
  assertEquals(clock.timers, 0);
  assertFalse(calls[0]!.signal().aborted);
});

Deno.test("Channel ignores an answer that comes too late", async () => {
  using clock = new VirtualClock();
  const [near, far] = pipe();
  const channel = new Channel(near);
  const slow = codeOf(channel.call("", "", { timeout: 10 }));
  await clock.pass(40);
  assertEquals(await slow, ["deadline_exceeded", "timed out"]);
  const next = channel.call("", "");
  near.inject('r1 "late"\nr2 "in time"\n');
  assertEquals(await next, '"in time"');
  assertEquals(near.written, "c1 10  \t\nx1\nc2 30000  \t\n");
  channel.close();
  assert(far.closed);
});

Deno.test("Channel.ping() is answered while handlers wait", async () => {
  using pair = channelPair({ there: { onCall: () => new Promise(() => {}) } });
  const reply = codeOf(pair.here.call("", ""));
  await pair.here.ping(1_000);
  assertEquals([pair.here.pending, pair.there.serving], [1, 1]);
  pair.here.close();
  assertEquals(await reply, ["replica_unreachable", "disconnected"]);
});

Deno.test("Channel.ping() fails when no answer comes in time or the channel has ended", async () => {
  using clock = new VirtualClock();
  const [near] = pipe();
  const channel = new Channel(near);
  const ping = codeOf(channel.ping(1_000));
  await clock.pass(1_040);
  assertEquals(await ping, ["deadline_exceeded", "timed out"]);
  channel.close();
  assertEquals(await codeOf(channel.ping(1_000)), ["replica_unreachable", "disconnected"]);
  assertEquals(clock.timers, 0);
});

Deno.test("Channel.silence grows only while something asked has not been answered", async () => {
  using clock = new VirtualClock();
  const { promise, resolve } = Promise.withResolvers<string>();
  using pair = channelPair({ there: { onCall: () => promise } });
  await clock.pass(10_000);
  assertEquals(pair.here.silence, 0);
  const reply = pair.here.call("", "");
  assertEquals(pair.here.silence, 0);
  await clock.pass(700);
  assertEquals(pair.here.silence, 700);
  await pair.here.ping(100);
  assertEquals(pair.here.silence, 0);
  await clock.pass(5);
  resolve("1");
  await reply;
  assertEquals(pair.here.silence, 0);
});

Deno.test("Channel.notify() is told in order with calls", async () => {
  const seen: string[] = [];
  using pair = channelPair({
    there: {
      onCall: (target, body) => (seen.push(`call ${target} ${body}`), ""),
      onNotice: (target, body) => seen.push(`notice ${target} ${body}`),
    },
  });
  pair.here.notify("a", '{"x":"y z"}');
  const reply = pair.here.call("b", "1");
  pair.here.notify("c", "");
  await reply;
  assertEquals(seen, ['notice a {"x":"y z"}', "call b 1", "notice c "]);
});

Deno.test("Channel.close() settles everything at both ends, once", async () => {
  const closed: [string, unknown][] = [];
  const inbound: InboundCall[] = [];
  const hang = (_target: string, _body: string, call: InboundCall) => {
    inbound.push(call);
    call.signal();
    return new Promise<string>(() => {});
  };
  using pair = channelPair({
    here: { onCall: hang, onClose: (reason) => closed.push(["here", reason]) },
    there: { onCall: hang, onClose: (reason) => closed.push(["there", reason?.reason]) },
  });
  const replies = [pair.here.call("", ""), pair.there.call("", "")].map(codeOf);
  await settled();
  pair.here.close();
  pair.here.close();
  await Promise.all([pair.here.closed, pair.there.closed]);
  pair.there.close();
  assertEquals(closed, [["here", undefined], ["there", "disconnected"]]);
  for (const reply of replies) {
    assertEquals(await reply, ["replica_unreachable", "disconnected"]);
  }
  assertEquals(inbound.map((call) => call.signal().aborted), [true, true]);
  assert(pair.here.ended && pair.there.ended);
  assertEquals(await codeOf(pair.here.call("", "")), ["replica_unreachable", "disconnected"]);
  pair.here.notify("lost", "");
  await pair.here.flush();
  await pair.here.idle();
});

Deno.test("Channel fails its calls when the other side closes in the middle of a message", async () => {
  for (const partial of ["", "r", "r1", 'r1 {"a":', "c1 1000 t m"]) {
    const [near, far] = pipe();
    const channel = new Channel(near, {}, { name: "leaf" });
    const reply = channel.call("", "");
    await settled();
    near.inject(partial);
    await settled();
    far.close();
    const error = await assertRejects(() => reply, MpError, "Cannot reach leaf");
    assertEquals(
      [error.code, error.reason, error.replica],
      ["replica_unreachable", "disconnected", "leaf"],
    );
    await channel.closed;
  }
});

Deno.test("Channel fails its calls when reading or writing fails", async () => {
  for (const broken of ["read", "write"] as const) {
    const [near] = pipe();
    const fault = new Deno.errors.ConnectionReset("reset");
    const channel = new Channel({
      read: (into) => broken === "read" ? Promise.reject(fault) : near.read(into),
      write: (bytes) => broken === "write" ? Promise.reject(fault) : near.write(bytes),
      close: () => near.close(),
    });
    const error = await assertRejects(() => channel.call("", ""), MpError);
    assertEquals([error.code, error.reason], ["replica_unreachable", "disconnected"]);
    assertEquals(error.cause, fault);
    await channel.closed;
  }
});

Deno.test("Channel ends, and fails its calls, when the other side does not speak the protocol", async () => {
  const garbage = [
    "hello\n",
    "GET / HTTP/1.1\r\n",
    "\n",
    "r\n",
    "r1\n",
    "r1\nn a\n",
    "rx 1\n",
    "r1.5 1\n",
    "e1\n",
    "e1 {\n",
    "e1 null\n",
    "e1 7\n",
    "e1 {}\n",
    'e1 {"code":"usage"}\n',
    "c1\n",
    "c1 2\n",
    "c1 2 t\n",
    "c1 2 t \n",
    "c1 2 t \nc2 2 t \t\n",
    "cx 2 t \t\n",
    "c1 x t \t\n",
    "c1 NaN t \t\n",
    "c1 -Infinity t \t\n",
    "xx\n",
    "n\n",
    "na\nn b\n",
    "px\n",
    "qx\n",
    new Uint8Array([0xff, 0xfe, 0x0a]),
  ];
  for (const text of garbage) {
    const [near, far] = pipe();
    const closed: unknown[] = [];
    const channel = new Channel(
      near,
      { onCall: echo, onNotice() {}, onClose: (reason) => closed.push(reason?.reason) },
      { name: "leaf" },
    );
    const reply = codeOf(channel.call("", ""));
    await settled();
    near.inject(text);
    assertEquals(await reply, ["replica_unreachable", "garbled"], JSON.stringify(text));
    await channel.closed;
    assertEquals(closed, ["garbled"]);
    assert(far.closed);
  }
});

Deno.test("Channel settles every call whatever arrives", async () => {
  const line = fc.tuple(
    fc.constantFrom("c", "r", "e", "x", "n", "p", "q", "", "z"),
    fc.constantFrom("1", "2", "99", "", " ", "-1", "NaN", "1 5", "1 5 t", "1 5 t ", "\t"),
    fc.oneof(fc.constantFrom("", " ", "\t", " {}", ' {"message":"m"}', "\t1"), fc.string()),
  ).map((parts) => `${parts.join("")}\n`);
  const garbage = fc.oneof(
    fc.array(line).map((lines) => new TextEncoder().encode(lines.join(""))),
    fc.uint8Array(),
  );
  await fc.assert(fc.asyncProperty(garbage, async (bytes) => {
    const [near, far] = pipe();
    const channel = new Channel(near, { onCall: echo, onNotice() {} });
    const calls = Promise.allSettled([channel.call("", ""), channel.call("", "")]);
    await settled();
    near.inject(bytes);
    await settled();
    if (!far.closed) far.close();
    await channel.closed;
    for (const result of await calls) {
      if (result.status === "rejected") assertInstanceOf(result.reason, MpError);
    }
    assertEquals([channel.pending, channel.serving], [0, 0]);
  }));
});

Deno.test("Channel ignores answers to calls that it does not know", async () => {
  using pair = channelPair({ there: { onCall: echo } });
  pair.hereEnd.inject('r77 1\ne78 {"code":"usage","message":"m"}\nq79\nx80\n');
  assertEquals(await pair.here.call("", "1"), "1");
});

Deno.test("Channel.call() is refused as overloaded while the other side does not read", async () => {
  const [near, far] = pipe({ capacity: 1000 });
  const channel = new Channel(near, {}, { name: "leaf", maxBuffered: 10_000 });
  const body = JSON.stringify("x".repeat(2_000));
  const codes: string[] = [];
  const calls = Array.from({ length: 20 }, () =>
    channel.call("", body).catch((error: MpError) => {
      codes.push(error.code);
    }));
  await settled();
  assertEquals(codes, Array(15).fill("overloaded"));
  assertEquals(channel.pending, 5);
  // a write is under way, so that more may wait behind it, and no more than that
  const more = Array.from({ length: 20 }, () => codeOf(channel.call("", body)));
  await settled();
  assertEquals(channel.pending, 10);
  channel.close();
  assert(far.closed);
  await Promise.all(calls);
  assertEquals((await Promise.all(more)).map(([code]) => code), [
    ...Array(5).fill("replica_unreachable"),
    ...Array(15).fill("overloaded"),
  ]);
});

Deno.test("Channel works on once the other side reads again", async () => {
  const [near, far] = pipe({ capacity: 100 });
  const channel = new Channel(near, {}, { maxBuffered: 1000 });
  const replies = Array.from({ length: 5 }, () => channel.call("", `"${"x".repeat(300)}"`));
  const settledReplies = Promise.allSettled(replies);
  await settled();
  const other = new Channel(far, { onCall: () => "1" });
  const results = await settledReplies;
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "rejected",
  ]);
  assertEquals(await channel.call("", ""), "1");
  channel.close();
  await other.closed;
});

Deno.test("Channel gives up another side that asks and never reads", async () => {
  const asking = {
    calls: (i: number) => `c${i} 1000 t \t"${"x".repeat(100)}"\n`,
    pings: (i: number) => `p${i}\n`,
  };
  for (const [what, line] of Object.entries(asking)) {
    const [near, far] = pipe({ capacity: 100 });
    const closed: (MpError | undefined)[] = [];
    const channel = new Channel(
      near,
      { onCall: echo, onClose: (reason) => closed.push(reason) },
      { maxBuffered: 10_000 },
    );
    let sent = 0;
    while (!channel.ended && sent < 100_000) {
      near.inject(Array.from({ length: 100 }, () => line(++sent)).join(""));
      await settled();
    }
    assert(channel.ended, what);
    assert(far.closed);
    assertEquals(closed.map((reason) => reason?.reason), ["not reading"]);
    assertEquals(channel.serving, 0);
  }
});

Deno.test("Channel.notify() does not pile up without bound", async () => {
  const [near] = pipe({ capacity: 100 });
  const channel = new Channel(near, {}, { maxBuffered: 10_000 });
  for (let i = 0; i < 1000 && !channel.ended; i++) channel.notify("n", "x".repeat(100));
  assert(channel.ended);
  await channel.closed;
});

Deno.test("Channel.call() refuses a request that is too large, and the channel goes on", async () => {
  using pair = channelPair({ maxMessage: 1000, there: { onCall: echo } });
  const fits = JSON.stringify("é".repeat(480));
  const waiting = pair.here.call("", "1");
  const [ok, tooLarge] = await Promise.allSettled([
    pair.here.call("", fits),
    pair.here.call("", JSON.stringify("é".repeat(500))),
  ]);
  assertEquals(ok, { status: "fulfilled", value: fits });
  assertEquals((tooLarge as PromiseRejectedResult).reason.code, "request_too_large");
  assertEquals(await waiting, "1");
});

Deno.test("Channel answers with an error when a result or an error is too large", async () => {
  using pair = channelPair({
    maxMessage: 2000,
    there: {
      onCall(target) {
        if (target === "small") return "1";
        if (target === "result") return JSON.stringify("x".repeat(2000));
        throw new MpError("handler_failed", "y".repeat(3000), { replica: "r" });
      },
    },
  });
  const [small, result, error] = await Promise.allSettled([
    pair.here.call("small", ""),
    pair.here.call("result", ""),
    pair.here.call("error", ""),
  ]);
  assertEquals(small.status, "fulfilled");
  assertEquals((result as PromiseRejectedResult).reason.code, "request_too_large");
  const { code, replica, message } = (error as PromiseRejectedResult).reason as MpError;
  assertEquals([code, replica, message], ["handler_failed", "r", "y".repeat(1000)]);
});

Deno.test("Channel ends when a message that is too large arrives", async () => {
  for (const size of [1001, 5_000, 200_000]) {
    const [near, far] = pipe({ chunk: 100 });
    const channel = new Channel(near, {}, { maxMessage: 1000 });
    const reply = codeOf(channel.call("", ""));
    near.inject("x".repeat(size));
    assertEquals(await reply, ["request_too_large", undefined]);
    assert(far.closed);
  }
});

Deno.test("Channel serves nothing that came together with what made it end", async () => {
  const served: string[] = [];
  const [near, far] = pipe();
  const channel: Channel = new Channel(near, {
    onCall: (_target, body) => (served.push(body), new Promise<string>(() => {})),
    onNotice: () => channel.close(),
  });
  near.inject('c1 1000 t \t"before"\nnstop \nc2 1000 t \t"after"\n');
  await channel.closed;
  await settled();
  assertEquals(served, ['"before"']);
  assertEquals(channel.serving, 0);
  assert(far.closed);
});

Deno.test("Channel.idle() resolves for all who wait, when the last call is answered or the channel ends", async () => {
  for (const how of ["answered", "closed"]) {
    const { promise, resolve } = Promise.withResolvers<string>();
    using pair = channelPair({ there: { onCall: () => promise } });
    await pair.here.idle();
    const reply = pair.here.call("", "").catch(() => {});
    let idle = 0;
    const waiting = [pair.here.idle(), pair.here.idle()].map((wait) => wait.then(() => idle++));
    await settled();
    assertEquals(idle, 0);
    if (how === "answered") resolve("1");
    else pair.there.close();
    await Promise.all([...waiting, reply]);
    assertEquals(idle, 2);
  }
});

Deno.test("Channel.idle() goes on waiting for calls that follow the last", async () => {
  const answers: ((body: string) => void)[] = [];
  using pair = channelPair({
    there: { onCall: () => new Promise((resolve) => answers.push(resolve)) },
  });
  let idle = false;
  const first = pair.here.call("", "");
  const waiting = pair.here.idle().then(() => idle = true);
  const second = first.then(() => pair.here.call("", ""));
  await settled();
  answers[0]!("1");
  await settled();
  assertFalse(idle && pair.here.pending > 0 && answers.length < 2);
  answers[1]!("1");
  await Promise.all([second, waiting]);
});

Deno.test("Channel.flush() resolves when the system has taken everything", async () => {
  const [near, far] = pipe({ capacity: 10 });
  const channel = new Channel(near);
  await channel.flush();
  channel.notify("n", "x".repeat(100));
  let flushed = false;
  const flushing = channel.flush().then(() => flushed = true);
  await settled();
  assertFalse(flushed);
  await far.read(new Uint8Array(1000));
  await flushing;
  channel.notify("n", "x".repeat(100));
  const ending = channel.flush();
  channel.close();
  await ending;
});

Deno.test("Channel carries calls over sockets", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/s`;
  try {
    const listener = Deno.listen({ transport: "unix", path });
    const accepted = listener.accept();
    const here = new Channel(await Deno.connect({ transport: "unix", path }));
    const there = new Channel(await accepted, { onCall: echo });
    const large = JSON.stringify("é".repeat(3_000_000));
    const bodies = [...Array.from({ length: 2000 }, (_, i) => `[${i}]`), large, "0", large];
    const replies = await Promise.all(bodies.map((body) => here.call("t", body)));
    assert(replies.every((reply, i) => reply === bodies[i]));
    here.close();
    await there.closed;
    listener.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The fate of a call that fails. */
async function fateAndCode(promise: Promise<unknown>): Promise<[string | undefined, string]> {
  const error = await assertRejects(() => promise, MpError);
  return [fateOf(error), error.code];
}

Deno.test("Channel knows of calls that fail whether they have begun at the other side", async () => {
  using clock = new VirtualClock();
  const [near, far] = pipe({ capacity: 100 });
  const channel = new Channel(near, {}, { name: "there" });
  const sent = fateAndCode(channel.call("", '"sent"'));
  await settled();
  // the write of the second one waits, so that the third one stays here
  const writing = fateAndCode(channel.call("", JSON.stringify("x".repeat(200))));
  await settled();
  const kept = fateAndCode(channel.call("", '"kept"'));
  await settled();
  const late = fateAndCode(channel.call("", "", { timeout: 10 }));
  await clock.pass(50);
  assertEquals(await late, ["late", "deadline_exceeded"]);
  far.close();
  await settled();
  assertEquals(await Promise.all([sent, writing, kept]), [
    ["unknown", "replica_unreachable"],
    ["unknown", "replica_unreachable"],
    ["unstarted", "replica_unreachable"],
  ]);
  assertEquals(await fateAndCode(channel.call("", "")), ["unstarted", "replica_unreachable"]);
  assertEquals(deadlines.size, 0);
  await clock.pass(50);
  assertEquals(clock.timers, 0);
});

Deno.test("Channel tells the other side which calls it has refused to begin", async () => {
  const refusal = withFate(
    new MpError("overloaded", "too many", { replica: "s.0", retryAfter: 70 }),
    "unstarted",
  );
  using pair = channelPair({
    there: {
      onCall(_target, body) {
        if (body === "later") return Promise.reject(refusal);
        throw body === "now" ? refusal : new MpError("overloaded", "deeper down");
      },
    },
  });
  for (const body of ["now", "later"]) {
    const error = await assertRejects(() => pair.here.call("", body), MpError);
    assertEquals([fateOf(error), error.toData()], ["unstarted", refusal.toData()]);
  }
  assertEquals(await fateAndCode(pair.here.call("", "other")), [undefined, "overloaded"]);
});

Deno.test("Channel.last() begins no call that comes after it, and answers those before", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const begun: string[] = [];
  let lasts = 0;
  using pair = channelPair({
    here: { onLast: () => lasts++ },
    there: { onCall: (_target, body) => (begun.push(body), promise) },
  });
  const first = pair.here.call("", '"first"');
  await settled();
  pair.there.last();
  // it is on its way before it is known that it comes too late
  const second = fateAndCode(pair.here.call("", '"second"'));
  assertEquals(await second, ["unstarted", "replica_unreachable"]);
  assertEquals(lasts, 1);
  assertEquals(await fateAndCode(pair.here.call("", '"third"')), [
    "unstarted",
    "replica_unreachable",
  ]);
  resolve("answered");
  assertEquals(await first, "answered");
  assertEquals(begun, ['"first"']);
  pair.there.last();
  await settled();
  assertEquals(lasts, 1);
});

Deno.test("Channel.silence does not end because nobody waits for the answer any more", async () => {
  using clock = new VirtualClock();
  const [near, far] = pipe();
  const channel = new Channel(near);
  const controller = new AbortController();
  const given = codeOf(channel.call("", "", { signal: controller.signal }));
  const late = codeOf(channel.call("", "", { timeout: 100 }));
  await clock.pass(300);
  controller.abort();
  await Promise.all([given, late]);
  assertEquals([channel.pending, channel.silence], [0, 300]);
  await clock.pass(700);
  assertEquals(channel.silence, 1_000);
  near.inject("p1\n");
  await settled();
  assertEquals(channel.silence, 0);
  channel.close();
  await settled();
  assert(far.closed);
});

Deno.test("InboundCall.cancels is cancelled when the caller goes away, and not once it is answered", async () => {
  const reasons: [string, string][] = [];
  using pair = channelPair({
    there: {
      onCall(_target, body, call) {
        call.cancels = { cancel: ({ code }) => reasons.push([body, code]) };
        return body === "now" ? body : new Promise(() => {});
      },
    },
  });
  await pair.here.call("", "now");
  const controller = new AbortController();
  const given = codeOf(pair.here.call("", "given up", { signal: controller.signal }));
  const lost = codeOf(pair.here.call("", "lost"));
  await settled();
  controller.abort();
  await settled();
  assertEquals(reasons, [["given up", "cancelled"]]);
  pair.here.close();
  await settled();
  assertEquals(reasons.slice(1), [["lost", "replica_unreachable"]]);
  await Promise.all([given, lost]);
});

Deno.test("Channel asks a silent other side for a sign of life, once, until it gives one", async () => {
  using clock = new VirtualClock();
  using pair = channelPair({ askAfter: 500, there: { onCall: () => new Promise(() => {}) } });
  const reply = codeOf(pair.here.call("", "", { timeout: 20_000 }));
  await clock.pass(490);
  assertEquals(pair.hereEnd.written.match(/p0/g), null);
  // handlers wait, and the event loop answers
  for (let i = 1; i <= 4; i++) {
    await clock.pass(600);
    assertFalse(pair.here.stalled);
  }
  assert(pair.hereEnd.written.match(/p0/g)!.length >= 3);
  const { read } = pair.thereEnd;
  pair.thereEnd.read = () => new Promise(() => {});
  await clock.pass(600);
  const asked = pair.hereEnd.written.match(/p0/g)!.length;
  await clock.pass(600);
  assert(pair.here.stalled);
  await clock.pass(60_000);
  assertEquals(pair.hereEnd.written.match(/p0/g)!.length - asked <= 1, true);
  assertEquals(await reply, ["deadline_exceeded", "stalled"]);
  // that nobody waits any more does not make it well
  assert(pair.here.stalled);
  assertEquals([pair.here.pending, deadlines.size], [0, 0]);
  pair.thereEnd.read = read;
  pair.hereEnd.inject("q0\n");
  await settled();
  assertFalse(pair.here.stalled);
});

Deno.test("Channel asks an other side whose answers nobody waits for", async () => {
  using clock = new VirtualClock();
  using pair = channelPair({ askAfter: 500, there: { onCall: () => new Promise(() => {}) } });
  assertEquals(await codeOf(pair.here.call("", "", { signal: AbortSignal.abort() })), [
    "cancelled",
    undefined,
  ]);
  const controller = new AbortController();
  const given = codeOf(pair.here.call("", "", { signal: controller.signal }));
  controller.abort();
  await given;
  await clock.pass(2_000);
  assertEquals([pair.here.silence, pair.here.stalled, deadlines.size], [0, false, 0]);
  // who owes nothing is not asked
  const asked = pair.hereEnd.written.match(/p0/g)!.length;
  await clock.pass(10_000);
  assertEquals([asked, pair.hereEnd.written.match(/p0/g)!.length], [1, 1]);
});
