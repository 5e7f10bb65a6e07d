import { assert, assertEquals, assertRejects } from "@std/assert";
import { spread } from "../../../patterns/spread.ts";
import { MpError } from "../../../runtime/errors.ts";
import { Payload } from "../../../runtime/payload.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { withFate } from "../../../runtime/peer/fate.ts";
import type { InboundCall } from "../../../runtime/peer/inbound_call.ts";
import { makePlan } from "../../../runtime/plan/make_plan.ts";
import { CallContext, type CallContextOptions } from "../../../runtime/replica/call_context.ts";
import { partClient } from "../../../runtime/replica/part_client.ts";
import { replicaInfo } from "../../../runtime/replica/place.ts";
import { Switchboard } from "../../../runtime/replica/switchboard.ts";
import { PartCounters } from "../../../runtime/rpc/metrics.ts";
import type { PartClient } from "../../../runtime/topology/target.ts";
import type { CallRules } from "../../../runtime/topology/walk.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";
import { boundApi } from "../topology/bound_api.ts";
import { bookOf } from "./book_of.ts";
import { type Answer, Fleet } from "./fleet.ts";

const credentials = { secret: "s3cret", revision: "r1" };

interface Setting extends AsyncDisposable {
  readonly part: PartClient;
  readonly counters: PartCounters;
  readonly fleet: Fleet;
  readonly clock: VirtualClock;
  /** The replicas that were called, by their indices. */
  readonly called: number[];
}

/** A part of three replicas. */
async function set(rules: Partial<CallRules>, answer: Answer): Promise<Setting> {
  const { mp, topology } = boundApi();
  mp.service("svc", spread(3, () => 1));
  const book = bookOf(makePlan(topology, { app: "app", bundle: "b" }));
  const clock = new VirtualClock();
  const called: number[] = [];
  const fleet = new Fleet(credentials, (name, body, call) => {
    called.push(Number(name.split(".").at(-1)));
    return answer(name, body, call);
  }).add(book);
  const hello = { ...credentials, from: "svc.shard.0" };
  const switchboard = new Switchboard({ book, hello, dial: fleet.dial });
  const counters = new PartCounters();
  const part = partClient({
    path: "svc.compute",
    rules: { timeout: 30_000, idempotent: false, retries: 2, hedge: undefined, ...rules },
    peers: () => switchboard.peers("svc.compute", "part"),
    counters,
  });
  assertEquals(part.replicas, 3);
  await switchboard.connected();
  return {
    part,
    counters,
    fleet,
    clock,
    called,
    async [Symbol.asyncDispose]() {
      switchboard.close();
      await clock.pass(50);
      assertEquals([fleet.connected, clock.timers, deadlines.size], [[], 0, 0]);
      clock[Symbol.dispose]();
    },
  };
}

function contextOf(options: Partial<CallContextOptions> = {}): CallContext {
  return new CallContext({
    service: "svc",
    replica: replicaInfo({ path: "svc.shard", width: 1 }, 0),
    timeout: 10_000,
    requestId: "id",
    ...options,
  });
}

const callOf = (context = contextOf()) => ({ request: 7, payload: Payload.of(7), context });

/** Takes the first replica that is available, and the first one when none is. */
const first = ({ replicas, available }: Pick<PartClient, "replicas" | "available">) => {
  for (let i = 0; i < replicas; i++) if (available(i)) return i;
  return 0;
};

const crashing = (set: () => Setting): Answer => (name) => {
  set().fleet.get(name).crash();
  return new Promise(() => {});
};

async function refused(reply: Promise<unknown>): Promise<[string, string | undefined]> {
  const error = await assertRejects(() => reply, MpError);
  return [error.code, error.reason];
}

const full = (name: string) =>
  withFate(new MpError("overloaded", "full", { replica: name, retryAfter: 5 }), "unstarted");

Deno.test("PartClient.callAny() makes a call elsewhere that a replica refuses to begin", async () => {
  await using s = await set({}, (name) => {
    if (name.endsWith(".2")) return '"done"';
    throw full(name);
  });
  assertEquals((await s.part.callAny(first, callOf())).value, "done");
  assertEquals([s.called, s.counters.retries], [[0, 1, 2], 2]);
  // those who refused are spared
  assertEquals([0, 1, 2].map((i) => s.part.available(i)), [false, false, true]);
});

Deno.test("PartClient.callAny() tells the caller when all are full, without asking any of them twice", async () => {
  await using s = await set({}, (name) => {
    throw full(name);
  });
  const error = await assertRejects(() => s.part.callAny(first, callOf()), MpError);
  assertEquals([error.code, error.retryAfter], ["overloaded", 5]);
  assertEquals(s.called, [0, 1, 2]);
});

Deno.test("PartClient.callAny() makes what may have begun again only when that does no harm", async () => {
  const cases: [Partial<CallRules>, Partial<CallContextOptions>, string | [string, string]][] = [
    [{ idempotent: false }, {}, ["replica_unreachable", "disconnected"]],
    [{ idempotent: true }, {}, "done"],
    [{ idempotent: false }, { idempotencyKey: "key" }, "done"],
    [{ idempotent: true, retries: 0 }, {}, ["replica_unreachable", "disconnected"]],
  ];
  for (const [rules, options, outcome] of cases) {
    await using s: Setting = await set(
      rules,
      (name, body, call) => name.endsWith(".0") ? crashing(() => s)(name, body, call) : '"done"',
    );
    const reply = s.part.callAny(first, callOf(contextOf(options)));
    if (typeof outcome === "string") assertEquals((await reply).value, outcome);
    else assertEquals(await refused(reply), outcome);
    assertEquals(s.called, outcome === "done" ? [0, 1] : [0]);
  }
});

Deno.test("PartClient.callAny() does not tell that nothing was done when an attempt before was lost", async () => {
  for (const code of ["storage_unavailable", "scope_conflict", "overloaded"] as const) {
    await using s: Setting = await set({}, (name, body, call) => {
      if (name.endsWith(".0")) return crashing(() => s)(name, body, call);
      return Promise.reject(new MpError(code, "nothing was done here"));
    });
    const reply = s.part.callAny(first, callOf(contextOf({ idempotencyKey: "key" })));
    assertEquals(await refused(reply), ["replica_unreachable", "disconnected"]);
    assertEquals(s.called, [0, 1]);
  }
});

Deno.test("PartClient.callAny() waits for the other replica when one of the two did nothing", async () => {
  const answer = Promise.withResolvers<string>();
  await using s = await set({ idempotent: true, hedge: { after: 20 } }, (name) => {
    if (name.endsWith(".0")) return answer.promise;
    return Promise.reject(new MpError("storage_unavailable", "nothing was done here"));
  });
  const reply = s.part.callAny(first, callOf());
  await s.clock.pass(30);
  assertEquals(s.called, [0, 1]);
  answer.resolve('"first"');
  assertEquals((await reply).value, "first");
});

Deno.test("PartClient.callAny() makes a call no more often than allowed, and after pauses", async () => {
  await using s: Setting = await set({ idempotent: true }, crashing(() => s));
  const began = performance.now();
  const reply = refused(s.part.callAny(first, callOf()));
  for (let i = 0; i < 100 && s.called.length < 3; i++) await s.clock.pass(20);
  assertEquals(await reply, ["replica_unreachable", "disconnected"]);
  assertEquals([s.called.length, s.counters.retries], [3, 2]);
  assert(performance.now() > began);
});

Deno.test("PartClient.callAny() does not make again what a replica has answered with an error", async () => {
  const cases = [
    new MpError("handler_failed", "no"),
    new MpError("overloaded", "deeper down"),
    new MpError("replica_unreachable", "deeper down", { reason: "disconnected" }),
  ];
  for (const error of cases) {
    await using s = await set({ idempotent: true }, () => Promise.reject(error));
    assertEquals(await refused(s.part.callAny(first, callOf())), [error.code, error.reason]);
    assertEquals([s.called, s.counters.retries], [[0], 0]);
  }
});

Deno.test("PartClient.callAny() makes fewer calls again the fewer succeed", async () => {
  await using s = await set({ idempotent: true, retries: 1 }, (name) => {
    throw full(name);
  });
  // no replica is spared, so that each call could be made again
  const anyOther = ({ available }: Pick<PartClient, "available">) => available(1) ? 1 : 2;
  for (let i = 0; i < 200; i++) {
    await refused(s.part.callAny(anyOther, callOf()));
    s.clock.block(6);
  }
  // ten at once, one for five calls, and ten a second
  const most = 10 + 200 / 5 + 12 + 1;
  assert(s.counters.retries <= most, `${s.counters.retries}`);
  assert(s.counters.retries >= 40, `${s.counters.retries}`);
});

Deno.test("PartClient.call() makes a call again at the successor of its replica", async () => {
  let crashes = 1;
  await using s: Setting = await set(
    { idempotent: true },
    (name, body, call) => crashes-- > 0 ? crashing(() => s)(name, body, call) : '"done"',
  );
  const reply = s.part.call(1, callOf());
  await s.clock.pass(100);
  assertEquals((await reply).value, "done");
  assertEquals([s.called, s.counters.retries], [[1, 1], 1]);
});

Deno.test("PartClient.call() does not try long where its replica is full or absent", async () => {
  await using s = await set({ idempotent: true }, (name) => {
    throw full(name);
  });
  assertEquals(await refused(s.part.call(1, callOf())), ["overloaded", undefined]);
  const { fleet } = s;
  fleet.get("svc.compute.2").up = false;
  fleet.get("svc.compute.2").crash();
  await settled();
  const absent = refused(s.part.call(2, callOf()));
  await s.clock.pass(2_100);
  assertEquals(await absent, ["replica_unreachable", "absent"]);
  assertEquals([s.called, s.counters.retries], [[1], 0]);
});

Deno.test("PartClient.callAny() goes elsewhere when its replica does not come back", async () => {
  await using s = await set({}, (name) => JSON.stringify(name));
  for (const name of ["svc.compute.0", "svc.compute.1", "svc.compute.2"]) {
    s.fleet.get(name).up = false;
    s.fleet.get(name).crash();
  }
  await settled();
  const reply = s.part.callAny(first, callOf());
  await s.clock.pass(1_000);
  s.fleet.get("svc.compute.2").up = true;
  await s.clock.pass(1_500);
  // it has waited for the first one in vain
  assertEquals((await reply).value, "svc.compute.2");
  assertEquals(s.counters.retries, 1);
});

Deno.test("PartClient.callAny() asks a second replica of what is hedged, and cancels the slower one", async () => {
  const inbound: InboundCall[] = [];
  await using s = await set({ idempotent: true, hedge: { after: 20 } }, (name, _body, call) => {
    if (!name.endsWith(".0")) return '"second"';
    inbound.push(call);
    return new Promise(() => {});
  });
  const reply = s.part.callAny(first, callOf());
  await s.clock.pass(18);
  assertEquals([s.called, s.counters.hedges], [[0], 0]);
  await s.clock.pass(3);
  assertEquals((await reply).value, "second");
  await settled();
  assertEquals(s.called, [0, 1]);
  assertEquals([s.counters.hedges, s.counters.hedgesWon, s.counters.retries], [1, 1, 0]);
  assert(inbound[0]!.signal().aborted);
  assertEquals([s.part.pending(0), s.part.pending(1)], [0, 0]);
  // what is fast is not made twice
  const second = ({ available }: Pick<PartClient, "available">) => available(1) ? 1 : 2;
  assertEquals((await s.part.callAny(second, callOf())).value, "second");
  await s.clock.pass(100);
  assertEquals(s.called, [0, 1, 1]);
});

Deno.test("PartClient.callAny() refuses at once what cannot be sent, and does not hedge it", async () => {
  await using s = await set({ idempotent: true, hedge: { after: 20 } }, () => '"never"');
  const context = contextOf();
  const payload = Payload.of(JSON.parse("1e400"));
  const error = await assertRejects(
    () => s.part.callAny(first, { request: undefined, payload, context }),
    MpError,
    'Cannot call "svc.compute": in the request, the value (Infinity) is not JSON',
  );
  assertEquals(error.code, "not_json");
  // what makes calls again by a timer would end the process
  await s.clock.pass(100);
  assertEquals([s.called, s.counters.hedges], [[], 0]);
});

Deno.test("PartClient.callAny() takes the first replica's answer, too, after it has asked a second one", async () => {
  const answer = Promise.withResolvers<string>();
  const inbound: InboundCall[] = [];
  await using s = await set({ idempotent: true, hedge: { after: 20 } }, (name, _body, call) => {
    inbound.push(call);
    return name.endsWith(".0") ? answer.promise : new Promise(() => {});
  });
  const reply = s.part.callAny(first, callOf());
  await s.clock.pass(30);
  assertEquals(s.called, [0, 1]);
  answer.resolve('"first"');
  assertEquals((await reply).value, "first");
  await settled();
  assertEquals([s.counters.hedges, s.counters.hedgesWon], [1, 0]);
  assertEquals(inbound.map((call) => call.signal().aborted), [false, true]);
});

Deno.test("PartClient.callAny() waits for the other replica when one of the two is lost", async () => {
  const answer = Promise.withResolvers<string>();
  await using s = await set({ idempotent: true, hedge: { after: 20 } }, (name) => {
    return name.endsWith(".1") ? answer.promise : new Promise(() => {});
  });
  const reply = s.part.callAny(first, callOf());
  await s.clock.pass(30);
  s.fleet.get("svc.compute.0").crash();
  await settled();
  answer.resolve('"second"');
  assertEquals((await reply).value, "second");
  assertEquals([s.called, s.counters.retries], [[0, 1], 0]);
});

Deno.test("PartClient.callAny() hedges no more than one call in five", async () => {
  await using s = await set(
    { idempotent: true, hedge: { after: 5 }, timeout: 30 },
    () => new Promise(() => {}),
  );
  const anyOther = (i: number) => ({ available }: Pick<PartClient, "available">) =>
    available(i % 3) ? i % 3 : (i + 1) % 3;
  const replies = Array.from(
    { length: 200 },
    (_, i) => refused(s.part.callAny(anyOther(i), callOf())),
  );
  await s.clock.pass(20);
  // ten that are there at first, and one for five calls
  assertEquals(s.counters.hedges, 10 + 200 / 5);
  assertEquals(s.called.length, 250);
  await s.clock.pass(60);
  for (const reply of replies) assertEquals((await reply)[0], "deadline_exceeded");
});

Deno.test("PartClient.callAny() is given up at every replica with its context", async () => {
  const inbound: InboundCall[] = [];
  await using s = await set({ idempotent: true, hedge: { after: 20 } }, (_name, _body, call) => {
    inbound.push(call);
    return new Promise(() => {});
  });
  const context = contextOf();
  const reply = refused(s.part.callAny(first, callOf(context)));
  await s.clock.pass(30);
  context.cancel(new MpError("cancelled", "The caller went away"));
  assertEquals(await reply, ["cancelled", undefined]);
  await settled();
  assertEquals(inbound.map((call) => call.signal().aborted), [true, true]);
});

Deno.test("PartClient.call() is given up in every pause", async () => {
  await using s: Setting = await set({ idempotent: true }, crashing(() => s));
  const context = contextOf();
  const reply = refused(s.part.call(0, callOf(context)));
  while (s.counters.retries === 0) await settled();
  context.cancel(new MpError("cancelled", "The caller went away"));
  assertEquals(await reply, ["cancelled", undefined]);
  await s.clock.pass(1_000);
  assertEquals(s.called, [0]);
});
