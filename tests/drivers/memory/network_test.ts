import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Fate,
  hostOf,
  type MemoryHost,
  MemoryNetwork,
  type Message,
  peerAddress,
} from "../../../drivers/memory/network.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { Connection } from "../../../runtime/peer/connection.ts";
import { Channel } from "../../../runtime/peer/channel.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";

const ADDRESS = peerAddress(1, "leaf.0");

interface World {
  readonly network: MemoryNetwork;
  readonly leaf: MemoryHost;
  readonly caller: Channel;
  readonly seen: [Message, Fate][];
  /** What the leaf was called with. */
  readonly served: string[];
}

/** A leaf that answers with what it was asked, and a caller that is connected to it. */
async function connect(): Promise<World> {
  const seen: [Message, Fate][] = [];
  const network = new MemoryNetwork((message, fate) => seen.push([message, fate]));
  const leaf = network.join("leaf.0");
  const listener = leaf.listen(ADDRESS);
  const served: string[] = [];
  (async () => {
    for await (const conn of listener) {
      new Channel(conn, {
        onCall(_target, body) {
          served.push(body);
          return body;
        },
      });
    }
  })();
  const conn = await network.join("caller.0").dial(ADDRESS);
  return { network, leaf, caller: new Channel(conn), seen, served };
}

async function closeAll({ network, caller }: World): Promise<void> {
  network.close();
  await caller.closed;
  deadlines.settle();
}

Deno.test("MemoryNetwork carries calls, and tells of each message", async () => {
  const world = await connect();
  assertEquals(await world.caller.call("", '"ü"', { meta: "id-1" }), '"ü"');
  assertEquals(
    world.seen.map(([{ connection, from, to, line }, fate]) => [connection, from, to, line, fate]),
    [
      [1, "caller.0", "leaf.0", {
        kind: "call",
        id: 1,
        timeout: 30_000,
        meta: "id-1",
        body: '"ü"',
      }, 0],
      [1, "leaf.0", "caller.0", { kind: "result", id: 1, body: '"ü"' }, 0],
    ],
  );
  await closeAll(world);
});

Deno.test("MemoryNetwork carries what was written, whatever becomes of its memory", async () => {
  const network = new MemoryNetwork();
  const listener = network.join("leaf.0").listen(ADDRESS);
  const near = await network.join("caller.0").dial(ADDRESS);
  const { value: far } = await listener[Symbol.asyncIterator]().next() as { value: Connection };
  const bytes = new TextEncoder().encode("nnote one\n");
  await near.write(bytes);
  bytes.fill(0);
  const into = new Uint8Array(100);
  const count = await far.read(into);
  assertEquals(new TextDecoder().decode(into.subarray(0, count!)), "nnote one\n");
  network.close();
});

Deno.test("MemoryNetwork refuses who calls where nobody listens", async () => {
  const network = new MemoryNetwork();
  const error = await assertRejects(() => network.join("a.0").dial(ADDRESS), MpError);
  assertEquals([error.code, error.replica], ["replica_unreachable", "leaf.0"]);
  assertEquals(hostOf(ADDRESS), "leaf.0");
});

Deno.test("MemoryNetwork.cut() ends what a host has, and the others see it", async () => {
  const world = await connect();
  const call = world.caller.call("", "1");
  world.leaf.cut();
  await assertRejects(() => call, MpError, "the connection ended");
  await world.caller.closed;
  await assertRejects(() => world.network.join("caller.0").dial(ADDRESS), MpError);
  await closeAll(world);
});

Deno.test("MemoryNetwork loses what its weather says", async () => {
  const world = await connect();
  world.network.weather = {
    judge: ({ line }) => line.kind === "call" && line.body === "2" ? "lost" : 0,
    judgeEnd: () => 0,
  };
  const lost = world.caller.call("", "2");
  assertEquals(await world.caller.call("", "3"), "3");
  assertEquals(world.served, ["3"]);
  await closeAll(world);
  await assertRejects(() => lost);
});

Deno.test("MemoryNetwork delays messages, and keeps their order", async () => {
  const world = await connect();
  using clock = new VirtualClock();
  const delays = new Map([["1", 50], ["2", 10]]);
  world.network.weather = {
    judge: ({ line }) => line.kind === "call" ? delays.get(line.body) ?? 0 : 0,
    judgeEnd: () => 0,
  };
  const calls = [world.caller.call("", "1"), world.caller.call("", "2")];
  await clock.pass(49);
  assertEquals(world.served, []);
  await clock.pass(1);
  assertEquals(world.served, ["1", "2"]);
  await Promise.all(calls);
  world.network.close();
  await world.caller.closed;
  deadlines.settle();
});

Deno.test("MemoryNetwork holds messages and ends until its weather changes", async () => {
  const world = await connect();
  const { network } = world;
  network.weather = { judge: () => "held", judgeEnd: () => "held" };
  const call = world.caller.call("", "1");
  const dialled: Connection[] = [];
  network.join("other.0").dial(ADDRESS).then((conn) => dialled.push(conn));
  await settled();
  assertEquals([world.served, dialled], [[], []]);
  network.weather = { judge: () => 0, judgeEnd: () => 0 };
  network.release();
  assertEquals(await call, "1");
  await settled();
  assertEquals(dialled.length, 1);

  network.weather = { judge: () => "held", judgeEnd: () => "held" };
  world.leaf.cut();
  await settled();
  assert(!world.caller.ended, "the news of the end is held, too");
  network.weather = { judge: () => 0, judgeEnd: () => 0 };
  network.release();
  await world.caller.closed;
  await closeAll(world);
});

Deno.test("MemoryNetwork.pause() holds up a host", async () => {
  const world = await connect();
  world.network.pause("leaf.0", true);
  const call = world.caller.call("", "1");
  await settled();
  assertEquals(world.served, []);
  world.network.pause("leaf.0", false);
  assertEquals(await call, "1");
  await closeAll(world);
});

Deno.test("MemoryNetwork.reset() ends connections and what is on its way", async () => {
  const world = await connect();
  world.network.weather = { judge: () => "held", judgeEnd: () => 0 };
  const call = world.caller.call("", "1");
  await settled();
  world.network.reset("caller.0", "leaf.0");
  await assertRejects(() => call, MpError);
  assertEquals(world.served, []);
  await closeAll(world);
});

Deno.test("MemoryNetwork.close() leaves no timers", async () => {
  const world = await connect();
  world.network.weather = { judge: () => 60_000, judgeEnd: () => 60_000 };
  const call = world.caller.call("", "1");
  const dial = world.network.join("other.0").dial(ADDRESS);
  await settled();
  await closeAll(world);
  await assertRejects(() => call);
  await assertRejects(() => dial);
});
