import { assert, assertEquals, assertFalse, assertRejects, assertStrictEquals } from "@std/assert";
import { scatter } from "../../../patterns/scatter.ts";
import { spread } from "../../../patterns/spread.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { AddressBook } from "../../../runtime/launch/address_book.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { makePlan } from "../../../runtime/plan/make_plan.ts";
import { Switchboard } from "../../../runtime/replica/switchboard.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";
import { boundApi } from "../topology/bound_api.ts";
import { bookOf } from "./book_of.ts";
import { type Answer, Fleet } from "./fleet.ts";

const credentials = { secret: "s3cret", revision: "r1" };

/** Books of `a.shard` with `replicas` of `a.compute`, and of `b` with leaves. */
function book(replicas: number, generation = 1): AddressBook {
  const { mp, topology } = boundApi();
  mp.service("a", spread(replicas, () => 1));
  mp.service("b", scatter(2, () => 1, (parts) => parts), { replicas: 3 });
  return bookOf(makePlan(topology, { app: "app", bundle: "b" }), "/f", generation);
}

interface Setting extends Disposable {
  readonly fleet: Fleet;
  readonly board: Switchboard;
  readonly clock: VirtualClock;
}

/** A switchboard and those whom it calls; disposing of them checks that nothing is left behind. */
function set(answer: Answer = (name) => JSON.stringify(name)): Setting {
  const clock = new VirtualClock();
  const fleet = new Fleet(credentials, answer).add(book(3));
  const hello = { ...credentials, from: "a.shard.0" };
  const board = new Switchboard({ book: book(3), hello, dial: fleet.dial });
  return {
    fleet,
    board,
    clock,
    [Symbol.dispose]() {
      board.close();
      deadlines.settle();
      assertEquals([fleet.connected, clock.timers, deadlines.size], [[], 0, 0]);
      clock[Symbol.dispose]();
    },
  };
}

const names = (board: Switchboard, path: string) => board.peers(path, "part").map((p) => p.name);

Deno.test("Switchboard.peers() has one peer for each replica of a path, by index", async () => {
  using s = set();
  assertEquals(names(s.board, "a.compute"), ["a.compute.0", "a.compute.1", "a.compute.2"]);
  const peers = s.board.peers("a.compute", "part");
  assertStrictEquals(s.board.peers("a.compute", "part"), peers);
  assertEquals(s.board.peers("nobody", "part"), []);
  assertEquals(await Promise.all(peers.map((peer) => peer.call("", {}))), [
    '"a.compute.0"',
    '"a.compute.1"',
    '"a.compute.2"',
  ]);
});

Deno.test("Switchboard.peers() says whether the plan needs them", async () => {
  using s = set();
  s.board.peers("a.compute", "part");
  s.board.peers("b.gather", "service");
  // what is known as a part remains one
  s.board.peers("a.compute", "service");
  await settled();
  assertEquals(s.fleet.get("a.compute.0").hellos.map((hello) => hello.as), ["part"]);
  assertEquals(s.fleet.get("b.gather.0").hellos.map((hello) => hello.as), ["service"]);
  assertEquals(s.fleet.get("a.compute.0").hellos[0]!.from, "a.shard.0");
});

Deno.test("Switchboard.peers() connects all replicas of a service, so that load can be spread", async () => {
  using s = set();
  const peers = s.board.peers("b.gather", "service");
  await settled();
  assertEquals(peers.map((peer) => peer.available), [true, true, true]);
  assertEquals(s.fleet.connected, ["b.gather.0", "b.gather.1", "b.gather.2"]);
});

Deno.test("Switchboard.connected() waits for all parts, and for nobody else", async () => {
  using s = set();
  const last = s.fleet.get("a.compute.2");
  last.up = false;
  s.fleet.get("b.gather.0").up = false;
  s.board.peers("a.compute", "part");
  s.board.peers("b.gather", "service");
  let connected = false;
  const connecting = s.board.connected().then(() => connected = true);
  await s.clock.pass(5_000);
  assertFalse(connected);
  assertEquals(s.board.missing(), ["a.compute.2"]);
  last.up = true;
  s.board.up(["a.compute.2", "nobody.0"]);
  await connecting;
  assertEquals(s.board.missing(), []);
});

Deno.test("Switchboard.connected() goes on when a part that it waits for leaves the book", async () => {
  using s = set();
  s.fleet.get("a.compute.2").up = false;
  s.board.peers("a.compute", "part");
  const connecting = s.board.connected();
  await s.clock.pass(100);
  s.board.follow(book(2, 2));
  await connecting;
  assertEquals(s.fleet.connected, ["a.compute.0", "a.compute.1"]);
});

Deno.test("Switchboard.connected() fails when it is closed before", async () => {
  using s = set();
  s.fleet.get("a.compute.2").up = false;
  s.board.peers("a.compute", "part");
  const failed = assertRejects(() => s.board.connected(), MpError);
  await s.clock.pass(100);
  s.board.close();
  assertEquals((await failed).code, "replica_unreachable");
  assertEquals(s.board.peers("a.compute", "part"), []);
});

Deno.test("Switchboard.follow() adds and removes replicas, and keeps the others", async () => {
  using s = set();
  const before = s.board.peers("a.compute", "part");
  await s.board.connected();
  s.fleet.add(book(4, 2));
  s.board.follow(book(4, 2));
  await settled();
  // new ones are connected before they are called
  assert(s.fleet.connected.includes("a.compute.3"));
  const more = s.board.peers("a.compute", "part");
  assertEquals(more.length, 4);
  for (const i of [0, 1, 2]) assertStrictEquals(more[i], before[i]);

  s.board.follow(book(1, 3));
  await settled();
  assertEquals(names(s.board, "a.compute"), ["a.compute.0"]);
  assertEquals(s.fleet.connected, ["a.compute.0"]);
  assertEquals(s.fleet.get("a.compute.0").dials, 1);
});

Deno.test("Switchboard.follow() ignores a book that is not newer", async () => {
  using s = set();
  s.board.peers("a.compute", "part");
  s.board.follow(book(1, 1));
  assertEquals(names(s.board, "a.compute").length, 3);
  s.board.follow(book(2, 5));
  s.board.follow(book(3, 4));
  assertEquals(names(s.board, "a.compute").length, 2);
  await settled();
});

Deno.test("Switchboard.follow() lets a replica that leaves answer what it was asked", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  using s = set(() => promise);
  const last = s.board.peers("a.compute", "part")[2]!;
  const reply = last.call("", {});
  await settled();
  assertEquals(s.board.pending, 1);
  s.board.follow(book(2, 2));
  await s.clock.pass(1_000);
  assert(s.fleet.connected.includes("a.compute.2"));
  resolve("7");
  assertEquals(await reply, "7");
  await settled();
  assertFalse(s.fleet.connected.includes("a.compute.2"));
});

Deno.test("Switchboard.follow() dials a replica anew whose address has changed", async () => {
  using s = set();
  const [first] = s.board.peers("a.compute", "part");
  await s.board.connected();
  const { replicas, ...rest } = book(3, 2);
  const moved: AddressBook = {
    ...rest,
    replicas: replicas.map((replica) =>
      replica.path === "a.compute" && replica.index === 0
        ? { ...replica, peer: "unix:/g/elsewhere" }
        : replica
    ),
  };
  const old = s.fleet.get("a.compute.0");
  s.fleet.add(moved);
  s.board.follow(moved);
  await s.board.connected();
  await settled();
  assertEquals([old.connections, s.fleet.get("a.compute.0").connections], [0, 1]);
  assert(s.board.peers("a.compute", "part")[0] !== first);
});

Deno.test("Switchboard.close() ends all connections, and dials nobody from then on", async () => {
  using s = set();
  s.board.peers("a.compute", "part");
  s.board.peers("b.gather", "service");
  await s.board.connected();
  s.board.close();
  await settled();
  assertEquals(s.fleet.connected, []);
  s.board.follow(book(3, 2));
  s.board.up(["a.compute.0"]);
  assertEquals(s.board.peers("b.gather", "service"), []);
  await s.clock.pass(1_000);
  assertEquals([s.fleet.connected, s.board.pending], [[], 0]);
});

Deno.test("Switchboard.peer() is the one that others get by its path", async () => {
  using s = set();
  const address = book(3).replicas.find(({ path, index }) => path === "b.gather" && index === 1)!;
  const peer = s.board.peer(address)!;
  await settled();
  assertEquals(s.fleet.connected, ["b.gather.1"]);
  assertStrictEquals(s.board.peers("b.gather", "service")[1], peer);
  assertStrictEquals(s.board.peer(address), peer);
  await settled();
  s.board.close();
  assertEquals(s.board.peer(address), undefined);
});
