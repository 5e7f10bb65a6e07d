import { assert, assertEquals, assertRejects } from "@std/assert";
import { scatter } from "../../../patterns/scatter.ts";
import { shard } from "../../../patterns/shard.ts";
import { MpError } from "../../../runtime/errors.ts";
import { Payload } from "../../../runtime/payload.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { makePlan } from "../../../runtime/plan/make_plan.ts";
import { decodeMeta } from "../../../runtime/replica/call_meta.ts";
import { CallContext } from "../../../runtime/replica/call_context.ts";
import { Network, rootOf } from "../../../runtime/replica/network.ts";
import { findPlace, replicaInfo } from "../../../runtime/replica/place.ts";
import { RpcMetrics } from "../../../runtime/rpc/metrics.ts";
import { Switchboard } from "../../../runtime/replica/switchboard.ts";
import { type Placed, walk } from "../../../runtime/topology/walk.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";
import { boundApi } from "../topology/bound_api.ts";
import { bookOf } from "./book_of.ts";
import { type Answer, Fleet } from "./fleet.ts";

const credentials = { secret: "s3cret", revision: "r1" };

interface Setting extends Disposable {
  readonly network: Network;
  readonly place: Placed;
  readonly clock: VirtualClock;
  readonly fleet: Fleet;
  readonly effects: string[];
}

/** The network of one replica of a shard of scatters, beside a service of three replicas. */
function set(
  path: string,
  index: number,
  answer: Answer = (name) => JSON.stringify(name),
): Setting {
  const { mp, topology } = boundApi();
  mp.service("svc", shard(4, () => 1, scatter(3, () => 1, (parts) => parts)), { replicas: 2 });
  mp.service("other", () => 1, { replicas: 3, timeout: 5_000 });
  const book = bookOf(makePlan(topology, { app: "app", bundle: "b" }));
  const clock = new VirtualClock();
  const fleet = new Fleet(credentials, answer).add(book);
  const hello = { ...credentials, from: `${path}.${index}` };
  const switchboard = new Switchboard({ book, hello, dial: fleet.dial });
  const places = [...walk(topology)];
  const place = findPlace(places, path)!;
  const effects: string[] = [];
  const network = new Network({
    switchboard,
    places,
    replica: replicaInfo(place, index),
    index,
    metrics: new RpcMetrics(),
    onEffect: (what) => effects.push(what),
  });
  return {
    network,
    place,
    clock,
    fleet,
    effects,
    [Symbol.dispose]() {
      switchboard.close();
      deadlines.settle();
      assertEquals([fleet.connected, clock.timers, deadlines.size], [[], 0, 0]);
      clock[Symbol.dispose]();
    },
  };
}

function contextOf(options: Partial<ConstructorParameters<typeof CallContext>[0]> = {}) {
  return new CallContext({
    service: "svc",
    replica: replicaInfo({ path: "svc.shard", width: 2 }, 0),
    timeout: 1_000,
    requestId: "id-1",
    ...options,
  });
}

const call = (context = contextOf()) => ({ request: 7, payload: Payload.of(7), context });

Deno.test("Network.parts() gives every nested instance its own children only", async () => {
  for (let instance = 0; instance < 4; instance++) {
    using s = set("svc.compute", instance);
    const { scatter: leaves } = s.network.parts(s.place);
    assertEquals(leaves!.replicas, 3);
    const names = await Promise.all(
      [0, 1, 2].map(async (i) => (await leaves!.call(i, call())).value),
    );
    assertEquals(names, [0, 1, 2].map((i) => `svc.compute.scatter.${3 * instance + i}`));
  }
});

Deno.test("Network.parts() gives all replicas of a service's router the same parts", async () => {
  for (const router of [0, 1]) {
    using s = set("svc.shard", router);
    const { compute } = s.network.parts(s.place);
    assertEquals(compute!.replicas, 4);
    const names = await Promise.all(
      [0, 1, 2, 3].map(async (i) => (await compute!.call(i, call())).value),
    );
    assertEquals(names, [0, 1, 2, 3].map((i) => `svc.compute.${i}`));
  }
});

Deno.test("Network.parts() gives a handler none", () => {
  using s = set("other", 0);
  assertEquals(s.network.parts(s.place), {});
});

Deno.test("PartClient.call() hands on request, deadline and request id", async () => {
  const seen: unknown[] = [];
  using s = set("svc.shard", 0, (_name, body, { timeout, meta }) => {
    seen.push([body, timeout, meta]);
    return "";
  });
  const { compute } = s.network.parts(s.place);
  const context = contextOf();
  s.clock.block(400);
  assertEquals((await compute!.call(0, call(context))).value, undefined);
  // never longer than the part may take
  await compute!.call(1, call(contextOf({ timeout: 60_000 })));
  s.clock.block(9_000);
  await compute!.call(2, call(context)).catch(() => {});
  await s.clock.pass(50);
  assertEquals(seen, [["7", 600, "id-1"], ["7", 30_000, "id-1"], ["7", 1, "id-1"]]);
});

Deno.test("PartClient.call() is cancelled with its context", async () => {
  using s = set("svc.shard", 0, () => new Promise(() => {}));
  const { compute } = s.network.parts(s.place);
  const context = contextOf();
  const reply = compute!.call(0, call(context));
  const failed = assertRejects(() => reply, MpError);
  await settled();
  assertEquals(compute!.pending(0), 1);
  context.cancel(new MpError("cancelled", "The caller went away"));
  assertEquals((await failed).code, "cancelled");
  assertEquals(compute!.pending(0), 0);
  // nothing begins for a caller who has gone
  const late = await assertRejects(() => compute!.call(0, call(context)), MpError);
  assertEquals([late.code, compute!.pending(0)], ["cancelled", 0]);
});

Deno.test("PartClient has no replica beyond its own", async () => {
  using s = set("svc.shard", 0);
  const { compute } = s.network.parts(s.place);
  const error = await assertRejects(() => compute!.call(4, call()), MpError, "svc.compute.4");
  assertEquals([error.code, error.reason], ["replica_unreachable", "absent"]);
  assertEquals([compute!.pending(4), compute!.available(4)], [0, false]);
  await settled();
  assertEquals([0, 1, 2, 3].map((i) => compute!.available(i)), [true, true, true, true]);
});

Deno.test("Network.callService() calls any replica of the service, and spreads over all", async () => {
  using s = set("svc.shard", 0);
  await s.network.callService("other", Payload.of(1), {});
  const names = new Set<unknown>();
  for (let i = 0; i < 100; i++) {
    names.add((await s.network.callService("other", Payload.of(1), {})).value);
  }
  assertEquals([...names].sort(), ["other.0", "other.1", "other.2"]);
  // a service that is a pattern is called at its router
  const { value } = await s.network.callService("svc", Payload.of(1), {});
  assert(/^svc\.shard\.[01]$/.test(String(value)), String(value));
});

Deno.test("Network.callService() lends the call the deadline, request id and user of the one it is made in", async () => {
  const seen: [number, string, string | undefined][] = [];
  using s = set("svc.shard", 0, (_name, _body, { timeout, meta }) => {
    const { requestId, user } = decodeMeta(meta);
    seen.push([timeout, requestId, user]);
    return "";
  });
  const within = (options: { timeout?: number }) =>
    contextOf({ user: "ada" }).run(
      () => s.network.callService("other", Payload.of(1), options),
      undefined,
    );
  await within({});
  await within({ timeout: 300 });
  await within({ timeout: 70_000 });
  assertEquals(seen, [[1_000, "id-1", "ada"], [300, "id-1", "ada"], [1_000, "id-1", "ada"]]);
  // outside of any call, the service's own timeout counts
  await s.network.callService("other", Payload.of(1), {});
  await s.network.callService("other", Payload.of(1), { timeout: Infinity });
  assertEquals(seen.slice(3).map(([timeout]) => timeout), [5_000, 5_000]);
  assert(seen[3]![1] !== seen[4]![1]);
  assertEquals([seen[3]![2], seen[4]![2]], [undefined, undefined]);
});

Deno.test("Network.callService() heeds the caller's signal", async () => {
  using s = set("svc.shard", 0, () => new Promise(() => {}));
  const controller = new AbortController();
  const reply = s.network.callService("other", Payload.of(1), { signal: controller.signal });
  const failed = assertRejects(() => reply, MpError);
  await settled();
  controller.abort();
  assertEquals((await failed).code, "cancelled");
});

Deno.test("Network.callService() tells of the effect first, and heeds a refusal", async () => {
  using s = set("svc.shard", 0);
  await s.network.callService("other", Payload.of(1), {});
  assertEquals(s.effects, ['a call to "other"']);
  const { mp, topology } = boundApi();
  mp.service("other", () => 1);
  const refusing = new Network({
    switchboard: new Switchboard({
      book: bookOf(makePlan(topology, { app: "app", bundle: "b" })),
      hello: { ...credentials, from: "other.0" },
      dial: s.fleet.dial,
    }),
    places: [...walk(topology)],
    replica: replicaInfo({ path: "other", width: 1 }, 0),
    index: 0,
    metrics: new RpcMetrics(),
    onEffect() {
      throw new MpError("scope_after_effect", "Cannot do that");
    },
  });
  const refused = refusing.callService("other", Payload.of(1), {});
  assertEquals((await assertRejects(() => refused, MpError)).code, "scope_after_effect");
});

Deno.test("Network.callService() refuses a service that the topology has not", async () => {
  using s = set("svc.shard", 0);
  for (const service of ["nobody", "svc.shard", "constructor"]) {
    const error = await assertRejects(
      () => s.network.callService(service, Payload.of(1), {}),
      MpError,
      `Cannot call "${service}": the topology has no such service`,
    );
    assertEquals(error.code, "method_not_found");
  }
});

Deno.test("Network.callPath() fails for a path that has no replicas", async () => {
  using s = set("svc.shard", 0);
  const error = await assertRejects(
    () => s.network.callPath("nobody", Payload.of(1), contextOf()),
    MpError,
    '"nobody": it has no replicas',
  );
  assertEquals([error.code, error.reason], ["replica_unreachable", "absent"]);
});

Deno.test("rootOf() is the subservice that takes a service's requests", () => {
  const { mp, topology } = boundApi();
  mp.service("svc", scatter(3, () => 1, (parts) => parts));
  mp.service("other", () => 1);
  const places = [...walk(topology)];
  assertEquals(rootOf(places, "svc")?.path, "svc.gather");
  assertEquals(rootOf(places, "other")?.path, "other");
  assertEquals(rootOf(places, "nobody"), undefined);
});
