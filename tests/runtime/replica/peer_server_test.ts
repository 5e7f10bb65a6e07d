import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { Payload } from "../../../runtime/payload.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import type { Hello } from "../../../runtime/peer/handshake.ts";
import { Peer } from "../../../runtime/peer/peer.ts";
import type { CallContext } from "../../../runtime/replica/call_context.ts";
import { PeerServer } from "../../../runtime/replica/peer_server.ts";
import type { Responder } from "../../../runtime/replica/responder.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";
import { type End, pipe } from "../peer/pipe.ts";

const credentials = { secret: "s3cret", revision: "r1" };
const replica = { path: "svc.scatter", index: 1, count: 3, name: "svc.scatter.1" };

/** A listener whose callers a test connects. */
class PipeListener {
  closed = false;
  readonly ends: End[] = [];
  #waiting: End[] = [];
  #wake: (() => void) | undefined;

  connect(): End {
    const [near, far] = pipe();
    this.ends.push(near);
    this.#waiting.push(far);
    this.#wake?.();
    return near;
  }

  close(): void {
    this.closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<End> {
    for (;;) {
      while (this.#waiting.length === 0 && !this.closed) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      if (this.closed) return;
      yield this.#waiting.shift()!;
    }
  }

  get open(): number {
    return this.ends.filter((end) => !end.closed).length;
  }
}

interface Setting extends Disposable {
  readonly server: PeerServer;
  readonly listener: PipeListener;
  readonly clock: VirtualClock;
  peer(as?: Hello["as"], change?: Partial<Hello>): Peer;
}

function set(respond: Responder): Setting {
  const clock = new VirtualClock();
  const listener = new PipeListener();
  const server = new PeerServer({
    listener: listener as unknown as Deno.Listener,
    credentials,
    service: "svc",
    replica,
    respond,
    survey: () => Promise.resolve(["storage redis"]),
  });
  const peers: Peer[] = [];
  return {
    server,
    listener,
    clock,
    peer(as = "part", change = {}) {
      const peer = new Peer({
        name: replica.name,
        address: "unix:/svc.scatter.1",
        hello: { ...credentials, from: "svc.gather.0", as, ...change },
        dial: () => Promise.resolve(listener.connect()),
      });
      peers.push(peer);
      return peer;
    },
    [Symbol.dispose]() {
      for (const peer of peers) peer.close();
      server.close();
      deadlines.settle();
      assertEquals([server.serving, clock.timers, deadlines.size], [0, 0, 0]);
      clock[Symbol.dispose]();
    },
  };
}

const echo: Responder = (payload) => payload;

Deno.test("PeerServer answers calls with a context of their own", async () => {
  const seen: unknown[] = [];
  using s = set((payload, context) => {
    seen.push([context.service, context.replica, context.requestId, context.timeout]);
    return payload.value === 1 ? Payload.of({ got: 1 }) : Promise.resolve(payload);
  });
  const peer = s.peer();
  assertEquals(await peer.call("1", { meta: "id-1", timeout: 700 }), '{"got":1}');
  assertEquals(await peer.call("", { meta: "id-2" }), "");
  assertEquals(seen, [["svc", replica, "id-1", 700], ["svc", replica, "id-2", 30_000]]);
});

Deno.test("PeerServer sends errors back with what they say", async () => {
  const error = new MpError("invalid_shard_key", "no key", { service: "svc", replica: "svc.0" });
  for (
    const respond of [() => Promise.reject(error), () => {
      throw error;
    }]
  ) {
    using s = set(respond);
    const thrown = await assertRejects(() => s.peer().call("1", {}), MpError);
    assertEquals(thrown.toData(), error.toData());
  }
  using s = set(() => Payload.of(NaN));
  assertEquals((await assertRejects(() => s.peer().call("1", {}), MpError)).code, "not_json");
});

Deno.test("PeerServer aborts the signal of a call whose caller goes away", async () => {
  const contexts: CallContext[] = [];
  using s = set((_payload, context) => {
    contexts.push(context);
    void context.signal;
    return new Promise(() => {});
  });
  const peer = s.peer();
  const controller = new AbortController();
  const cancelled = assertRejects(() => peer.call("1", { signal: controller.signal }));
  const lost = assertRejects(() => peer.call("2", {}));
  await settled();
  assertEquals(s.server.serving, 2);
  controller.abort();
  await settled();
  assertEquals(contexts.map(({ signal }) => signal.aborted), [true, false]);
  assertEquals(s.server.serving, 1);
  peer.close();
  await settled();
  assertEquals(contexts.map(({ signal }) => signal.aborted), [true, true]);
  await Promise.all([cancelled, lost]);
});

Deno.test("PeerServer answers nobody who does not belong to the deployment", async () => {
  let asked = 0;
  using s = set((payload) => (asked++, payload));
  for (const change of [{ secret: "guess" }, { revision: "r2" }]) {
    const failed = assertRejects(() => s.peer("part", change).call("1", {}), MpError);
    await s.clock.pass(2_050);
    assertEquals((await failed).code, "replica_unreachable");
  }
  assertEquals(asked, 0);
});

Deno.test("PeerServer.drained() resolves at once when nobody is connected", async () => {
  using s = set(echo);
  await s.server.drained(new AbortController().signal);
  // who has not said who it is does not count
  s.listener.connect();
  await settled();
  await s.server.drained(new AbortController().signal);
});

Deno.test("PeerServer.drained() waits until routers have left", async () => {
  using s = set(echo);
  const [one, other] = [s.peer("part"), s.peer("part")];
  await Promise.all([one.call("1", {}), other.call("1", {})]);
  let drained = false;
  const draining = s.server.drained(new AbortController().signal).then(() => drained = true);
  await s.clock.pass(60_000);
  one.close();
  await s.clock.pass(1_000);
  assertFalse(drained);
  // it answers as long as they are there
  assertEquals(await other.call("2", {}), "2");
  other.close();
  await s.clock.pass(20);
  await draining;
});

Deno.test("PeerServer.drained() waits until other callers have been quiet for a while", async () => {
  const { promise, resolve } = Promise.withResolvers<Payload>();
  using s = set((payload) => payload.value === 1 ? promise : payload);
  const peer = s.peer("service");
  const reply = peer.call("1", {});
  await settled();
  let drained = false;
  const draining = s.server.drained(new AbortController().signal).then(() => drained = true);
  await s.clock.pass(5_000);
  assertFalse(drained, "a call has no answer yet");
  await peer.call("2", {});
  resolve(Payload.of(7));
  assertEquals(await reply, "7");
  await s.clock.pass(400);
  assertFalse(drained, "the last call came 400 ms ago");
  await s.clock.pass(200);
  assert(drained);
  await draining;
});

Deno.test("PeerServer.drained() gives up when its signal aborts", async () => {
  using s = set(echo);
  const peer = s.peer("part");
  await peer.call("1", {});
  const controller = new AbortController();
  const draining = s.server.drained(controller.signal);
  await s.clock.pass(1_000);
  controller.abort();
  await draining;
  await s.server.drained(AbortSignal.abort());
});

Deno.test("PeerServer.leave() sends callers elsewhere, and answers what they asked", async () => {
  const { promise, resolve } = Promise.withResolvers<Payload>();
  using s = set(() => promise);
  const peer = s.peer("part");
  const reply = peer.call("1", {});
  const late = s.listener.connect();
  await settled();
  s.server.leave();
  await settled();
  assertEquals([s.listener.closed, peer.connected, s.server.serving], [true, false, 1]);
  // who was about to say hello is told, too
  late.write(new TextEncoder().encode(
    'nhello {"secret":"s3cret","revision":"r1","from":"x.0","as":"part"}\n',
  ));
  let drained = false;
  const draining = s.server.drained(new AbortController().signal).then(() => drained = true);
  await s.clock.pass(1_000);
  assertFalse(drained);
  assertEquals(await read(late), 'nleaving \nnleaving \nnwelcome {"replica":"svc.scatter.1"}\n');
  late.close();
  resolve(Payload.of(7));
  assertEquals(await reply, "7");
  await settled();
  await draining;
});

async function read(end: End): Promise<string> {
  const buffer = new Uint8Array(1_000);
  let text = "";
  while (!text.includes("welcome")) {
    text += new TextDecoder().decode(buffer.subarray(0, (await end.read(buffer))!));
  }
  return text;
}

Deno.test("PeerServer.close() ends all connections, and accepts no more", async () => {
  using s = set(() => new Promise(() => {}));
  const failed = assertRejects(() => s.peer().call("1", {}), MpError);
  await settled();
  s.listener.connect();
  await settled();
  s.server.close();
  assertEquals((await failed).reason, "disconnected");
  assertEquals([s.listener.open, s.listener.closed], [0, true]);
});
