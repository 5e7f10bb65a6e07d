import { assert, assertEquals, assertRejects } from "@std/assert";
import { memoryData } from "../../../drivers/storage/memory.ts";
import { MpError } from "../../../runtime/errors.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { storageFault } from "../../../runtime/storage/storage_fault.ts";
import { Transactor } from "../../../runtime/transact/transactor.ts";
import type { ScopeDraft } from "../../../runtime/transact/view.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";
import {
  type Fate,
  hold,
  loseReply,
  loseRequest,
  scopeId,
  ScriptedStorage,
  unreachable,
} from "./scripted_storage.ts";

/** One replica's transactions, in time that passes when the test says so. */
class Setup implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly storage = new ScriptedStorage(memoryData());
  readonly transactor = new Transactor({ storage: this.storage });

  scoped<T>(
    names: string,
    body: (...scopes: ScopeDraft[]) => T | PromiseLike<T>,
    timeout = 10_000,
  ): Promise<T> {
    const scopes = names.split(" ").map(scopeId);
    const result = this.transactor.run((view) => body(...scopes.map((id) => view.open(id))), {
      timeout,
      scopes,
    });
    // it may fail before the test waits for it
    result.catch(() => {});
    return result;
  }

  increment = (name = "a", timeout?: number): Promise<number> =>
    this.scoped(name, (scope) => scope.n = (scope.n ?? 0) + 1, timeout);

  read = (name = "a", timeout?: number): Promise<number> =>
    this.scoped(name, ({ n }) => n, timeout);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transactor.close();
    assertEquals(this.clock.timers, 0, "a timer is left");
    this.clock[Symbol.dispose]();
  }
}

async function failure(promise: Promise<unknown>): Promise<MpError> {
  return await assertRejects(() => promise, MpError);
}

Deno.test("Transactor.run() sends the same commit again when a reply is lost", async () => {
  for (const lose of [loseReply, loseRequest]) {
    await using setup = new Setup();
    setup.storage.fates.push(lose, lose, lose);
    const result = setup.increment();
    await setup.clock.pass(1_000);
    assertEquals(await result, 1);
    assertEquals(await setup.storage.get("a"), { n: 1 });
    assertEquals(setup.storage.requests.length, 4);
    assertEquals(new Set(setup.storage.requests).size, 1);
  }
});

Deno.test("Transactor.run() says so when it cannot be known whether it was carried out", async () => {
  for (const [lose, n] of [[loseReply, 1], [loseRequest, undefined]] as const) {
    await using setup = new Setup();
    setup.storage.otherwise = lose;
    const writing = setup.increment("a", 1_000);
    const reading = setup.read("b", 1_000);
    await setup.clock.pass(1_100);
    const error = await failure(writing);
    assertEquals([error.code, error.retryable], ["commit_unknown", false]);
    assert(error.next?.includes("idempotency key"));
    assertEquals((await failure(reading)).code, "storage_unavailable");
    setup.storage.otherwise = (run) => run();
    await setup.clock.pass(1_000);
    const after = setup.increment();
    await setup.clock.pass(1_000);
    assertEquals(await after, (n ?? 0) + 1);
  }
});

Deno.test("Transactor.run() does nothing behind the back of a caller who was told that nothing was done", async () => {
  await using setup = new Setup();
  setup.storage.otherwise = unreachable;
  const short = setup.increment("a", 500);
  const long = setup.increment("a", 5_000);
  await setup.clock.pass(600);
  const error = await failure(short);
  assertEquals([error.code, error.retryable], ["storage_unavailable", true]);
  setup.storage.otherwise = (run) => run();
  await setup.clock.pass(2_000);
  assertEquals(await long, 1);
  assertEquals(await setup.storage.get("a"), { n: 1 });
});

Deno.test("Transactor.run() learns at the deadline whether a request has left", async () => {
  for (const sent of [true, false]) {
    await using setup = new Setup();
    setup.storage.fates.push(hold({ sent }).fate);
    const result = setup.increment("a", 500);
    await setup.clock.pass(600);
    assertEquals((await failure(result)).code, sent ? "commit_unknown" : "storage_unavailable");
  }
});

Deno.test("Transactor.run() goes on for others when one in the request is late", async () => {
  for (const sent of [true, false]) {
    await using setup = new Setup();
    setup.storage.fates.push(hold({ sent }).fate);
    const short = setup.increment("a", 2_000);
    const long = setup.increment("a", 20_000);
    await setup.clock.pass(3_000);
    assertEquals((await failure(short)).code, sent ? "commit_unknown" : "storage_unavailable");
    await setup.clock.pass(1_000);
    assertEquals(await long, sent ? 2 : 1);
    assertEquals(await setup.storage.get("a"), { n: sent ? 2 : 1 });
  }
});

Deno.test("Transactor.run() settles although a storage heeds no signal", async () => {
  await using setup = new Setup();
  const gate = Promise.withResolvers<void>();
  setup.storage.fates.push(async (run) => (await gate.promise, await run()));
  const result = setup.increment("a", 500);
  await setup.clock.pass(3_000);
  assertEquals((await failure(result)).code, "commit_unknown");
  gate.resolve();
});

Deno.test("Transactor.run() fails within its deadline while the storage is away, or succeeds when it is back", async () => {
  await using setup = new Setup();
  setup.storage.otherwise = unreachable;
  setup.storage.reading = () => Promise.reject(storageFault("unreachable", "away"));
  const short = setup.read("a", 1_000);
  const long = setup.increment("a", 60_000);
  await setup.clock.pass(1_100);
  assertEquals((await failure(short)).code, "storage_unavailable");
  assertEquals(setup.transactor.fault?.reason, "unreachable");
  assert(setup.storage.requests.length < 20, "it backs off");
  await setup.clock.pass(30_000);
  setup.storage.otherwise = (run) => run();
  setup.storage.reading = () => Promise.resolve();
  await setup.clock.pass(1_000);
  assertEquals(await long, 1);
  assertEquals(setup.transactor.fault, undefined);
});

Deno.test("Transactor.run() says why before the time is over that its callers count, too", async () => {
  await using setup = new Setup();
  setup.storage.otherwise = unreachable;
  const away = setup.increment("a", 1_000);
  await setup.clock.pass(900);
  assertEquals((await failure(away)).code, "storage_unavailable");
  const held = hold();
  setup.storage.otherwise = held.fate;
  const sent = setup.increment("a", 1_000);
  await setup.clock.pass(980);
  assertEquals((await failure(sent)).code, "commit_unknown");
});

Deno.test("Transactor.run() leaves a body all the time that there is", async () => {
  await using setup = new Setup();
  let end = () => {};
  const result = setup.scoped("a", (a) =>
    new Promise<number>((resolve) => {
      a.n = 1;
      end = () => resolve(1);
    }), 1_000);
  await setup.clock.pass(950);
  end();
  assertEquals(await result, 1);
});

Deno.test("Transactor.fault goes when the storage is back, though nobody asks for anything", async () => {
  await using setup = new Setup();
  setup.storage.otherwise = unreachable;
  setup.storage.reading = () => Promise.reject(storageFault("unreachable", "away"));
  const result = setup.increment("a", 1_000);
  await setup.clock.pass(1_100);
  await failure(result);
  await setup.clock.pass(5_000);
  assertEquals(setup.transactor.fault?.reason, "unreachable");
  setup.storage.reading = () => Promise.resolve();
  await setup.clock.pass(1_000);
  assertEquals(setup.transactor.fault, undefined);
  const { reads } = setup.storage;
  await setup.clock.pass(10_000);
  assertEquals(setup.storage.reads, reads, "it does not look any more");
});

Deno.test("Transactor.fault goes when the storage is back, after a request that was given up", async () => {
  await using setup = new Setup();
  setup.storage.otherwise = loseReply;
  const result = setup.increment("a", 1_000);
  await setup.clock.pass(2_000);
  assertEquals((await failure(result)).code, "commit_unknown");
  await setup.clock.pass(1_000);
  assertEquals(setup.transactor.fault, undefined);
});

Deno.test("Transactor.run() fails at once when somebody has to act", async () => {
  for (const reason of ["refused", "full", "damaged", "closed"] as const) {
    await using setup = new Setup();
    setup.storage.otherwise = () => Promise.reject(storageFault(reason, "no"));
    const error = await failure(setup.increment());
    assertEquals([error.code, error.reason], ["storage_unavailable", reason]);
  }
});

Deno.test("Transactor.run() does not know what an error means that no storage throws", async () => {
  await using setup = new Setup();
  setup.storage.fates.push(() => Promise.reject(new Error("bug")));
  assertEquals((await failure(setup.increment())).code, "commit_unknown");
  assertEquals(await setup.increment(), 1);
});

Deno.test("Transactor.run() fails what the storage does not take, and nothing that travels with it", async () => {
  const tooLarge: Fate = (run, _options, batch) =>
    batch.some(({ mutations }) => mutations.some((m) => m.op === "put" && m.value.includes("X")))
      ? Promise.reject(new MpError("request_too_large", "Cannot store it: it is too large"))
      : run();
  await using setup = new Setup();
  setup.storage.otherwise = tooLarge;
  const calls = [
    setup.increment("a"),
    setup.increment("b"),
    setup.scoped("b", (b) => b.text = "X"),
    setup.increment("b"),
    setup.scoped("c", (c) => c.text = "X"),
    setup.increment("a"),
  ];
  const results = await Promise.allSettled(calls);
  assertEquals(results.map((r) => r.status === "fulfilled" ? r.value : r.reason.code), [
    1,
    1,
    "request_too_large",
    2,
    "request_too_large",
    2,
  ]);
  assertEquals(await setup.storage.get("b"), { n: 2 });
  assertEquals(await setup.storage.get("c"), undefined);
});

Deno.test("Transactor.run() fails with scope_conflict when others are always first", async () => {
  await using setup = new Setup();
  let n = 0;
  setup.storage.otherwise = async (run) => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    await setup.storage.set("a", { n: n-- });
    return await run();
  };
  const result = setup.increment("a", 1_000);
  await setup.clock.pass(1_100);
  const error = await failure(result);
  assertEquals([error.code, error.retryable], ["scope_conflict", true]);
  assert(error.message.startsWith('Cannot use scope "a": others changed it first'), error.message);
});

Deno.test("Transactor.run() ends a body that never does, and gives its turn to the next", async () => {
  await using setup = new Setup();
  let leaked: ScopeDraft = {};
  const never = setup.scoped("a", (a) => {
    leaked = a;
    a.n = 100;
    return new Promise<number>(() => {});
  }, 1_000);
  const next = setup.increment("a", 5_000);
  await setup.clock.pass(1_100);
  const error = await failure(never);
  assertEquals(error.code, "deadline_exceeded");
  assert(error.message.includes("the body did not end"), error.message);
  assertEquals(await next, 1);
  await assertRejects(async () => await leaked.n, MpError, "has ended");
});

Deno.test("Transactor.run() takes what has expired out of what rests on it", async () => {
  await using setup = new Setup();
  await setup.increment();
  const held = hold();
  setup.storage.fates.push(held.fate);
  const flying = setup.increment("a", 60_000);
  await held.arrived;
  let runs = 0;
  const short = setup.scoped("a b", (a, b) => b.n = a.n += 100, 500);
  const after = setup.scoped("a b", (a, b) => (runs++, [a.n, b.n]), 60_000);
  await setup.clock.pass(600);
  assertEquals((await failure(short)).code, "deadline_exceeded");
  held.release();
  assertEquals(await flying, 2);
  assertEquals([await after, runs], [[2, undefined], 2]);
  assertEquals(await setup.storage.get("a"), { n: 2 });
});

Deno.test("Transactor.run() runs each body again once, however many expire before it", async () => {
  await using setup = new Setup();
  const held = hold();
  setup.storage.fates.push(held.fate);
  const flying = setup.increment("a", 60_000);
  await held.arrived;
  const short = Array.from({ length: 200 }, () => setup.increment("a", 500));
  let runs = 0;
  const long = Array.from({ length: 200 }, () => setup.scoped("a", (a) => (runs++, a.n++), 60_000));
  await setup.clock.pass(600);
  for (const call of short) await failure(call);
  held.release();
  await flying;
  await Promise.all(long);
  assertEquals(runs, 400);
  assertEquals(await setup.storage.get("a"), { n: 201 });
});

Deno.test("Transactor.run() blames a storage that is silent for long", async () => {
  await using setup = new Setup();
  const held = hold();
  setup.storage.fates.push(held.fate);
  const flying = setup.increment("a", 60_000);
  await held.arrived;
  await setup.clock.pass(2_000);
  const waiting = setup.increment("b", 500);
  await setup.clock.pass(600);
  assertEquals((await failure(waiting)).code, "storage_unavailable");
  held.release();
  assertEquals(await flying, 1);
});

Deno.test("Transactor.run() does not say of a transaction what became of another's reply", async () => {
  await using setup = new Setup();
  const lost = () =>
    Promise.reject(storageFault("reply_lost", "Cannot tell what db.internal did: the caller left"));
  setup.storage.otherwise = lost;
  setup.storage.reading = lost;
  const other = setup.increment("a", 500);
  await setup.clock.pass(600);
  assertEquals((await failure(other)).code, "commit_unknown");
  const reading = setup.read("b", 500);
  await setup.clock.pass(600);
  const { code, reason, message } = await failure(reading);
  assertEquals([code, reason], ["storage_unavailable", "unreachable"]);
  assertEquals(message, 'Cannot use scope "b": the storage did not answer in time');
});

Deno.test("Transactor.close() settles everything and leaves nothing behind", async () => {
  const setup = new Setup();
  const held = hold();
  setup.storage.fates.push(held.fate);
  const calls = [setup.increment(), setup.read("b")];
  await held.arrived;
  calls.push(setup.increment("c"), setup.scoped("d", () => new Promise<number>(() => {})));
  await setup.transactor.close();
  const codes = (await Promise.allSettled(calls)).map((result) =>
    result.status === "rejected" ? result.reason.code : result.value
  );
  assertEquals(codes, ["commit_unknown", "storage_unavailable", "cancelled", "cancelled"]);
  assertEquals((await failure(setup.increment())).code, "cancelled");
  await settled();
  assertEquals(deadlines.size, 0);
  await setup[Symbol.asyncDispose]();
});

Deno.test("Transactor.close() ends pauses and looking for a storage", async () => {
  for (const fate of [loseReply, unreachable]) {
    const setup = new Setup();
    setup.storage.otherwise = fate;
    const result = setup.increment("a", 60_000);
    await setup.clock.pass(300);
    await setup.transactor.close();
    assertEquals((await failure(result)).code, fate === loseReply ? "commit_unknown" : "cancelled");
    await setup[Symbol.asyncDispose]();
  }
});
