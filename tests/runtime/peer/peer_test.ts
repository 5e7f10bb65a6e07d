import { assert, assertEquals, assertFalse, assertLess, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type { ChannelHandlers } from "../../../runtime/peer/channel.ts";
import type { Connection } from "../../../runtime/peer/connection.ts";
import { withFate } from "../../../runtime/peer/fate.ts";
import type { InboundCall } from "../../../runtime/peer/inbound_call.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { Peer, type PeerOptions } from "../../../runtime/peer/peer.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";
import { Leaf } from "./leaf.ts";
import { pipe } from "./pipe.ts";

const credentials = { secret: "s3cret", revision: "r1" };
const hello = { ...credentials, from: "gather.0", as: "part" } as const;

interface Setting extends Disposable {
  readonly leaf: Leaf;
  readonly peer: Peer;
  readonly clock: VirtualClock;
}

/** A peer and its leaf under a virtual clock; disposing of them checks that nothing is left behind. */
function set(handlers: ChannelHandlers = {}, options: Partial<PeerOptions> = {}): Setting {
  const clock = new VirtualClock();
  const leaf = new Leaf({ onCall: (_target, body) => body, ...handlers }, credentials);
  const peer = new Peer({
    name: "leaf.0",
    address: "unix:/leaf",
    hello,
    dial: leaf.dial,
    ...options,
  });
  return {
    leaf,
    peer,
    clock,
    [Symbol.dispose]() {
      peer.close();
      leaf.crash();
      deadlines.settle();
      assertEquals([leaf.connections, peer.pending, deadlines.size, clock.timers], [0, 0, 0, 0]);
      clock[Symbol.dispose]();
    },
  };
}

async function codeOf(promise: Promise<unknown>): Promise<[string, string | undefined]> {
  const error = await assertRejects(() => promise, MpError);
  return [error.code, error.reason];
}

Deno.test("Peer.call() connects when it is needed, once for all calls", async () => {
  using s = set();
  assertEquals([s.peer.connected, s.leaf.dials], [false, 0]);
  const replies = Array.from({ length: 100 }, (_, i) => s.peer.call(String(i), {}));
  assertEquals(s.peer.pending, 100);
  assertEquals(await Promise.all(replies), replies.map((_, i) => String(i)));
  assertEquals(await s.peer.call("x", {}), "x");
  assertEquals([s.peer.connected, s.peer.pending, s.leaf.dials], [true, 0, 1]);
  assertEquals(s.leaf.hellos, [hello]);
});

Deno.test("Peer.call() waits for a replica that is on its way", async () => {
  using s = set();
  s.leaf.up = false;
  const replies = Promise.all([s.peer.call("1", {}), s.peer.call("2", {})]);
  await s.clock.pass(1_000);
  assertEquals(s.peer.pending, 2);
  s.leaf.up = true;
  await s.clock.pass(500);
  assertEquals(await replies, ["1", "2"]);
});

Deno.test("Peer.call() fails when its patience is over, and at once from then on", async () => {
  using s = set();
  s.leaf.up = false;
  const first = s.peer.call("1", {});
  const failed = assertRejects(() => first, MpError, "Cannot reach leaf.0: no connection");
  await s.clock.pass(1_990);
  assertEquals(s.peer.pending, 1);
  await s.clock.pass(50);
  const error = await failed;
  assertEquals(
    [error.code, error.reason, error.replica, error.retryable],
    ["replica_unreachable", "absent", "leaf.0", true],
  );
  const dials = s.leaf.dials;
  assertEquals(await codeOf(s.peer.call("2", {})), ["replica_unreachable", "absent"]);
  // a call that fails at once asks for an attempt at once
  assertEquals(s.leaf.dials, dials + 1);
  s.leaf.up = true;
  await codeOf(s.peer.call("3", {}));
  await settled();
  assertEquals(await s.peer.call("4", {}), "4");
});

Deno.test("Peer.call() counts its patience from when the connection ended", async () => {
  using s = set();
  await s.peer.call("1", {});
  await s.clock.pass(60_000);
  s.leaf.up = false;
  s.leaf.crash();
  await settled();
  assertFalse(s.peer.connected);
  await s.clock.pass(1_500);
  const reply = codeOf(s.peer.call("2", {}));
  await s.clock.pass(450);
  assertEquals(s.peer.pending, 1);
  await s.clock.pass(90);
  assertEquals(await reply, ["replica_unreachable", "absent"]);
});

Deno.test("Peer connects again after its connection has ended, without being asked", async () => {
  using s = set({ onCall: (_target, body) => body === "hang" ? new Promise(() => {}) : body });
  const hanging = codeOf(s.peer.call("hang", {}));
  await settled();
  assertEquals(s.peer.pending, 1);
  s.leaf.crash();
  assertEquals(await hanging, ["replica_unreachable", "disconnected"]);
  const reply = s.peer.call("1", {});
  await s.clock.pass(20);
  assertEquals(await reply, "1");
  s.leaf.crash();
  await s.clock.pass(20);
  assertEquals([s.peer.connected, s.leaf.dials, s.leaf.connections], [true, 3, 1]);
});

Deno.test("Peer tries again ever more slowly, but within half a second", async () => {
  using s = set();
  s.leaf.up = false;
  s.peer.connect();
  await s.clock.pass(1_000);
  const early = s.leaf.dials;
  await s.clock.pass(60_000);
  const later = s.leaf.dials - early;
  assert(early >= 6 && early <= 14, `${early} attempts in the first second`);
  assert(later >= 120 && later <= 240, `${later} attempts in the next minute`);
  s.leaf.up = true;
  await s.clock.pass(500);
  assert(s.peer.connected);
});

Deno.test("Peer.connect() does not wait for the next attempt, and never connects twice", async () => {
  using s = set();
  s.leaf.up = false;
  s.peer.connect();
  await s.clock.pass(30_000);
  s.leaf.up = true;
  s.peer.connect();
  s.peer.connect();
  await settled();
  s.peer.connect();
  await s.clock.pass(1_000);
  assertEquals([s.peer.connected, s.leaf.connections], [true, 1]);
});

Deno.test("Peer.call() says why the replica does not admit it", async () => {
  using s = set({}, { hello: { ...hello, revision: "r2" } });
  const failed = assertRejects(() => s.peer.call("1", {}), MpError, "its revision is r2, not r1");
  await s.clock.pass(2_050);
  const error = await failed;
  assertEquals([error.code, (error.cause as MpError).code], [
    "replica_unreachable",
    "revision_mismatch",
  ]);
  assertEquals(s.leaf.connections, 0);
});

Deno.test("Peer.call() waits for a connection no longer than it may take", async () => {
  using s = set();
  s.leaf.up = false;
  const reply = codeOf(s.peer.call("1", { timeout: 300 }));
  await s.clock.pass(290);
  assertEquals(s.peer.pending, 1);
  await s.clock.pass(50);
  assertEquals(await reply, ["replica_unreachable", "absent"]);
});

Deno.test("Peer.call() gives the replica what waiting has left of its time", async () => {
  const timeouts: number[] = [];
  using s = set({ onCall: (_t, _b, call) => (timeouts.push(call.timeout), "") });
  s.leaf.up = false;
  const reply = s.peer.call("1", { timeout: 5_000 });
  await s.clock.pass(1_000);
  s.leaf.up = true;
  s.peer.connect();
  await s.clock.pass(0);
  await reply;
  assertEquals(timeouts, [4_000]);
});

Deno.test("Peer.call() heeds its signal while it waits for a connection, and afterwards", async () => {
  const calls: InboundCall[] = [];
  using s = set({ onCall: (_t, _b, call) => (calls.push(call), new Promise(() => {})) });
  s.leaf.up = false;
  const waiting = new AbortController();
  const reply = codeOf(s.peer.call("1", { signal: waiting.signal }));
  await settled();
  waiting.abort();
  assertEquals(await reply, ["cancelled", undefined]);
  assertEquals(s.peer.pending, 0);
  assertEquals(await codeOf(s.peer.call("1", { signal: waiting.signal })), [
    "cancelled",
    undefined,
  ]);

  s.leaf.up = true;
  const answered = new AbortController();
  const other = codeOf(s.peer.call("2", { signal: answered.signal }));
  await s.clock.pass(20);
  assertEquals(calls.length, 1);
  answered.abort();
  assertEquals(await other, ["cancelled", undefined]);
  await settled();
  assert(calls[0]!.signal().aborted);
});

Deno.test("Peer.call() is overloaded when very many calls wait for a connection", async () => {
  using s = set();
  s.leaf.up = false;
  const waiting = Array.from({ length: 10_000 }, () => s.peer.call("1", {}).catch(() => {}));
  assertEquals(await codeOf(s.peer.call("1", {})), ["overloaded", undefined]);
  await s.clock.pass(2_050);
  await Promise.all(waiting);
});

Deno.test("Peer.available tells a replica whose event loop is blocked from one whose handlers wait", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  using s = set({ onCall: () => promise });
  assertFalse(s.peer.available);
  await s.peer.connection();
  assert(s.peer.available);
  await s.clock.pass(60_000);
  assert(s.peer.available, "idle for a minute");
  const reply = s.peer.call("1", {});
  assert(s.peer.available, "asked just now, after a minute of silence");
  for (let i = 0; i < 40; i++) {
    await s.clock.pass(250);
    assert(s.peer.available, "handlers wait, pings are answered");
  }
  // the event loop at the other end is blocked: it takes bytes, and says nothing
  const end = s.leaf.ends[0]!;
  const { read } = end;
  end.read = () => new Promise(() => {});
  await s.clock.pass(300);
  assert(s.peer.available);
  await s.clock.pass(1_000);
  assertFalse(s.peer.available, "silent for more than a second");
  await s.clock.pass(10_000);
  assertFalse(s.peer.available);
  end.read = read;
  resolve("1");
  s.leaf.crash();
  await codeOf(reply);
});

Deno.test("Peer.available asks a silent replica no more than twice a second", async () => {
  using s = set({ onCall: () => new Promise(() => {}) });
  await s.peer.connection();
  const reply = codeOf(s.peer.call("1", {}));
  await settled();
  s.leaf.ends[0]!.read = () => new Promise(() => {});
  for (let i = 0; i < 1_000; i++) {
    s.peer.available;
    await s.clock.pass(10);
  }
  // pings give up after two seconds
  assertLess(s.peer.pending, 7);
  s.peer.close();
  await reply;
});

Deno.test("Peer.connection() resolves for all who wait, and rejects when the peer is closed", async () => {
  using s = set();
  s.leaf.up = false;
  const waiting = [s.peer.connection(), s.peer.connection()];
  await s.clock.pass(5_000);
  s.leaf.up = true;
  await s.clock.pass(500);
  await Promise.all(waiting);
  await s.peer.connection();
  s.leaf.up = false;
  s.leaf.crash();
  await settled();
  const lost = [s.peer.connection(), s.peer.connection()].map(codeOf);
  s.peer.close();
  for (const connection of [...lost, codeOf(s.peer.connection())]) {
    assertEquals(await connection, ["replica_unreachable", "absent"]);
  }
});

Deno.test("Peer.close() fails what waits and what is unanswered, and connects no more", async () => {
  using s = set({ onCall: () => new Promise(() => {}) });
  const unanswered = codeOf(s.peer.call("1", {}));
  await settled();
  s.peer.close();
  s.peer.close();
  assertEquals(await unanswered, ["replica_unreachable", "disconnected"]);
  assertEquals(await codeOf(s.peer.call("2", {})), ["replica_unreachable", "absent"]);
  s.peer.connect();
  await s.clock.pass(10_000);
  assertEquals([s.leaf.dials, s.leaf.connections], [1, 0]);

  using other = set();
  other.leaf.up = false;
  const waiting = codeOf(other.peer.call("1", {}));
  await settled();
  other.peer.close();
  assertEquals(await waiting, ["replica_unreachable", "absent"]);
});

Deno.test("Peer.close() gives up a connection that is being made", async () => {
  using silent = set();
  silent.leaf.silent = true;
  silent.peer.connect();
  await settled();
  assertEquals(silent.leaf.connections, 1);
  silent.peer.close();
  await settled();
  assertEquals(silent.leaf.connections, 0);

  // closed while the system still dials
  const { promise, resolve } = Promise.withResolvers<Connection>();
  using dialing = set({}, { dial: () => promise });
  dialing.peer.connect();
  dialing.peer.close();
  const [near] = pipe();
  resolve(near);
  await settled();
  assert(near.closed);
  assertFalse(dialing.peer.connected);
});

Deno.test("Peer makes a connection anew that ends with its welcome", async () => {
  let dials = 0;
  const clock = new VirtualClock();
  const leaf = new Leaf({ onCall: (_target, body) => body }, credentials);
  const peer = new Peer({
    name: "leaf.0",
    address: "unix:/leaf",
    hello,
    dial() {
      if (dials++ > 0) return leaf.dial();
      // the welcome and the end come in one
      let reads = 0;
      const welcome = new TextEncoder().encode('nwelcome {"replica":"leaf.0"}\n');
      return Promise.resolve({
        read: (into) => Promise.resolve(reads++ === 0 ? (into.set(welcome), welcome.length) : null),
        write: (bytes) => Promise.resolve(bytes.length),
        close() {},
      });
    },
  });
  const reply = peer.call("1", {});
  await clock.pass(50);
  assertEquals(await reply, "1");
  assertEquals(dials, 2);
  peer.close();
  await settled();
  deadlines.settle();
  assertEquals([leaf.connections, clock.timers], [0, 0]);
  clock[Symbol.dispose]();
});

Deno.test("Peer.retire() closes when every call has been answered", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  using s = set({ onCall: () => promise });
  const reply = s.peer.call("1", {});
  await settled();
  let retired = false;
  const retiring = s.peer.retire().then(() => retired = true);
  await s.clock.pass(5_000);
  assertEquals([retired, s.peer.connected], [false, true]);
  resolve("late");
  assertEquals(await reply, "late");
  await retiring;
  await settled();
  assertEquals([s.peer.connected, s.leaf.connections], [false, 0]);
});

Deno.test("Peer.retire() lets calls that wait for a connection have it, or run out of patience", async () => {
  for (const comes of [true, false]) {
    using s = set();
    s.leaf.up = false;
    const reply = s.peer.call("1", {}).catch((error: MpError) => error.reason);
    await settled();
    const retiring = s.peer.retire();
    await s.clock.pass(1_000);
    s.leaf.up = comes;
    await s.clock.pass(1_100);
    assertEquals(await reply, comes ? "1" : "absent");
    await retiring;
    assertFalse(s.peer.connected);
  }
});

Deno.test("Peer sends calls to the successor of a replica that leaves, which still answers its own", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  using s = set({ onCall: (_target, body) => body === "slow" ? promise : body });
  const slow = s.peer.call("slow", {});
  await settled();
  s.leaf.up = false;
  s.leaf.ends[0]!.write(new TextEncoder().encode("nleaving \n"));
  await settled();
  assertEquals([s.peer.connected, s.peer.pending, s.leaf.connections], [false, 1, 1]);
  const next = s.peer.call("1", {});
  await s.clock.pass(500);
  assertEquals(s.peer.pending, 2);
  s.leaf.up = true;
  s.peer.connect();
  assertEquals(await next, "1");
  assertEquals(s.leaf.connections, 2);
  resolve("late");
  assertEquals(await slow, "late");
  await settled();
  assertEquals([s.peer.connected, s.leaf.connections], [true, 1]);
});

Deno.test("Peer.close() and Peer.retire() end connections to a replica that leaves", async () => {
  for (const how of ["close", "retire"] as const) {
    const { promise, resolve } = Promise.withResolvers<string>();
    using s = set({ onCall: () => promise });
    const slow = s.peer.call("slow", {}).catch((error: MpError) => error.reason);
    await settled();
    s.leaf.ends[0]!.write(new TextEncoder().encode("nleaving \n"));
    await settled();
    const ended = s.peer[how]();
    await settled();
    assertEquals(s.leaf.ends[0]!.closed, how === "close");
    resolve("late");
    assertEquals(await slow, how === "close" ? "disconnected" : "late");
    await ended;
    await settled();
    assertEquals(s.leaf.connections, 0);
  }
});

Deno.test("Peer does not take a connection that is welcome and leaves at once", async () => {
  using s = set({}, {
    dial: async () => {
      const conn = await s.leaf.dial();
      const end = s.leaf.ends.at(-1)!;
      if (s.leaf.dials === 1) await end.write(new TextEncoder().encode("nleaving \n"));
      return conn;
    },
  });
  const reply = s.peer.call("1", {});
  await s.clock.pass(50);
  assertEquals(await reply, "1");
  assertEquals([s.leaf.dials, s.leaf.connections], [2, 1]);
});

Deno.test("Peer.retire() closes at once when nothing waits", async () => {
  using s = set();
  await s.peer.retire();
  s.peer.connect();
  await s.clock.pass(1_000);
  assertEquals(s.leaf.dials, 0);
});

/** Makes a peer whose failed and answered calls are noted, as those of parts are. */
async function callAndNote(peer: Peer, body: string, timeout?: number): Promise<string> {
  try {
    const reply = await peer.call(body, { timeout });
    peer.succeeded();
    return reply;
  } catch (error) {
    peer.failed(error as MpError);
    return (error as MpError).code;
  }
}

Deno.test("Peer is left out when it answers no call in time, and probed until it does", async () => {
  const leftOut: string[] = [];
  let answers = false;
  using s = set({
    onCall: (_target, body) => answers ? body : new Promise(() => {}),
  }, { onLeftOut: (why) => leftOut.push(why) });
  await s.peer.connection();
  for (let i = 0; i < 5; i++) {
    assert(s.peer.available, `${i} failures`);
    const call = callAndNote(s.peer, "1", 50);
    await s.clock.pass(100);
    // it is not silent: its event loop answers
    const ping = callAndNote(s.peer, "1", 50);
    s.leaf.ends[0]!.write(new TextEncoder().encode("p1\n"));
    await s.clock.pass(100);
    assertEquals([await call, await ping], ["deadline_exceeded", "deadline_exceeded"]);
    if (leftOut.length > 0) break;
  }
  assertEquals(leftOut, ["failing"]);
  assertFalse(s.peer.available);
  answers = true;
  await s.clock.pass(1_050);
  // it has been silent, too, and is asked
  s.peer.available;
  await settled();
  assert(s.peer.available, "one call may try");
  const probe = callAndNote(s.peer, "2");
  assertFalse(s.peer.available, "while it does");
  assertEquals(await probe, "2");
  assert(s.peer.available);
});

Deno.test("Peer is left out when its connection breaks again and again", async () => {
  const leftOut: string[] = [];
  using s = set({ onCall: () => new Promise(() => {}) }, {
    onLeftOut: (why) => leftOut.push(why),
  });
  for (let i = 0; i < 5; i++) {
    const call = callAndNote(s.peer, "1");
    await s.clock.pass(20);
    assertEquals(leftOut, []);
    s.leaf.crash();
    assertEquals(await call, "replica_unreachable");
  }
  assertEquals(leftOut, ["failing"]);
  await s.clock.pass(600);
  assertEquals([s.peer.connected, s.peer.available], [true, false]);
});

Deno.test("Peer is left out, and said to be, while it is silent", async () => {
  const leftOut: string[] = [];
  using s = set({ onCall: (_target, body) => body }, { onLeftOut: (why) => leftOut.push(why) });
  await s.peer.connection();
  const end = s.leaf.ends[0]!;
  const { read } = end;
  let wake = () => {};
  end.read = async (into) => {
    await new Promise<void>((resolve) => wake = resolve);
    end.read = read;
    return await read(into);
  };
  await s.peer.call("0", {});
  const call = s.peer.call("1", {});
  for (let i = 0; i < 13; i++) {
    s.peer.available;
    await s.clock.pass(100);
  }
  assertEquals([s.peer.available, s.peer.available, leftOut], [false, false, ["silent"]]);
  wake();
  assertEquals(await call, "1");
  assert(s.peer.available);
});

Deno.test("Peer is spared for as long as it asks for when it is overloaded", async () => {
  using s = set({
    onCall() {
      throw withFate(new MpError("overloaded", "full", { retryAfter: 300 }), "unstarted");
    },
  });
  await s.peer.connection();
  assertEquals(await callAndNote(s.peer, "1"), "overloaded");
  assertFalse(s.peer.available);
  await s.clock.pass(310);
  assert(s.peer.available);
});

Deno.test("Peer takes no more calls to a replica that begins none", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  using s = set({ onCall: (_target, body) => body === "slow" ? promise : body });
  const slow = s.peer.call("slow", {});
  await settled();
  s.leaf.last();
  await settled();
  assertEquals([s.peer.connected, s.peer.pending], [false, 1]);
  const next = s.peer.call("1", {});
  await s.clock.pass(20);
  assertEquals(await next, "1");
  assertEquals(s.leaf.connections, 2);
  resolve("late");
  assertEquals(await slow, "late");
});

Deno.test("Peer.tell() tells a replica that is there, and says when it is not", async () => {
  const heard: unknown[] = [];
  using s = set({ onNotice: (target, body) => heard.push([target, body]) });
  assertFalse(s.peer.tell("news", "{}"));
  await s.peer.connection();
  assert(s.peer.tell("news", '{"n":1}'));
  await settled();
  assertEquals(heard, [["news", '{"n":1}']]);
  s.leaf.crash();
  await settled();
  assertFalse(s.peer.tell("news", "{}"));
});
