import { assert, assertEquals, assertRejects } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { memoryData } from "../../../drivers/storage/memory.ts";
import { MpError } from "../../../runtime/errors.ts";
import { newSession, replicaTag, sessionOf, tagOf } from "../../../runtime/storage/version.ts";
import { decodeBaton, encodeBaton } from "../../../runtime/transact/baton.ts";
import type { Body } from "../../../runtime/transact/transaction.ts";
import { Transactor } from "../../../runtime/transact/transactor.ts";
import type { ScopeDraft, View } from "../../../runtime/transact/view.ts";
import { settled } from "../../support/virtual_clock.ts";
import { hold, scopeId, ScriptedStorage } from "./scripted_storage.ts";

/** One replica's transactions, and others' on the same data. */
class Setup implements AsyncDisposable {
  readonly data = memoryData();
  readonly storage = new ScriptedStorage(this.data);
  readonly transactor = new Transactor({ storage: this.storage });

  /** Runs a body over named scopes, as `mp.scoped()` does. */
  scoped<T>(names: string, body: (...scopes: ScopeDraft[]) => T | PromiseLike<T>): Promise<T> {
    const scopes = names.split(" ").map(scopeId);
    return this.transactor.run((view) => body(...scopes.map((scope) => view.open(scope))), {
      timeout: 10_000,
      scopes,
    });
  }

  /** Runs a body whose scopes nobody knows before, as a handler with `mp.scope` is run. */
  implicit<T>(body: (scope: (name: string) => ScopeDraft) => T | PromiseLike<T>): Promise<T> {
    const run: Body<T> = (view: View) => body((name) => view.open(scopeId(name)));
    const view = this.transactor.view();
    const result = run(view);
    const commit = (value: T) =>
      this.transactor.run(run, { timeout: 10_000, first: { view, outcome: { value } } });
    return result instanceof Promise ? result.then(commit) : commit(result as T);
  }

  increment = (name = "a"): Promise<number> =>
    this.scoped(name, (scope) => scope.n = (scope.n ?? 0) + 1);

  get requests(): number {
    return this.storage.requests.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transactor.close();
  }
}

Deno.test("Transactor.run() costs one round trip where nobody else writes", async () => {
  await using setup = new Setup();
  assertEquals(await setup.increment(), 1);
  assertEquals(await setup.increment(), 2);
  assertEquals(await setup.scoped("a", (a) => a.n), 2);
  assertEquals([setup.requests, setup.storage.reads], [3, 0]);
  assertEquals(await setup.storage.get("a"), { n: 2 });
});

Deno.test("Transactor.run() learns of a scope that is there by a refusal", async () => {
  await using setup = new Setup();
  await setup.storage.set("a", { n: 41 });
  const seen: unknown[] = [];
  const result = await setup.scoped("a", (a) => (seen.push(a.n), a.n = (a.n ?? 0) + 1));
  assertEquals([result, seen, setup.requests], [42, [undefined, 41], 2]);
});

Deno.test("Transactor.run() tells nothing that rests on stale data", async () => {
  await using setup = new Setup();
  await setup.increment();
  await setup.storage.set("a", { n: 10 });
  // neither a result nor an error nor a write
  assertEquals(await setup.scoped("a", ({ n }) => n), 10);
  await setup.storage.set("a", { n: 20 });
  await setup.scoped("a", ({ n }) => {
    if (n !== 20) throw new Error(`an error made of ${n}`);
  });
  await setup.storage.set("a", { n: 30 });
  const error = await assertRejects(() =>
    setup.scoped("a", ({ n }) => {
      throw new Error(`n is ${n}`);
    })
  );
  assertEquals((error as Error).message, "n is 30");
});

Deno.test("Transactor.run() validates in a round trip that began after the call", async () => {
  await using setup = new Setup();
  await setup.increment();
  const held = hold();
  setup.storage.fates.push(held.fate);
  const first = setup.scoped("a", ({ n }) => n);
  await held.arrived;
  const second = setup.scoped("a", ({ n }) => n);
  held.release();
  assertEquals([await first, await second, setup.requests], [1, 1, 3]);
});

Deno.test("Transactor.run() writes nothing when the body throws, and validates what it has read", async () => {
  await using setup = new Setup();
  await setup.increment();
  const error = await assertRejects(() =>
    setup.scoped("a", (a) => {
      a.n = 100;
      throw new RangeError("no");
    })
  );
  assert(error instanceof RangeError);
  assertEquals(setup.storage.requests.at(-1)![0]!.mutations, []);
  assertEquals(setup.storage.requests.at(-1)![0]!.checks.length, 1);
  assertEquals(await setup.increment(), 2);
});

Deno.test("Transactor.run() passes on whatever is thrown", async () => {
  await using setup = new Setup();
  for (const thrown of [undefined, null, 0, "text", { code: 1 }]) {
    const caught: unknown[] = [];
    await setup.scoped("a", () => {
      throw thrown;
    }).catch((error) => caught.push(error));
    assertEquals(caught, [thrown]);
  }
});

Deno.test("Transactor.run() commits several scopes together", async () => {
  await using setup = new Setup();
  await setup.scoped("a b", (a, b) => {
    a.n = 10;
    b.n = 0;
  });
  await setup.scoped("a b", (a, b) => {
    a.n -= 3;
    b.n += 3;
  });
  assertEquals([await setup.storage.get("a"), await setup.storage.get("b")], [{ n: 7 }, { n: 3 }]);
  // one of them is stale: neither is written before both are right
  await setup.storage.set("b", { n: 100 });
  await setup.scoped("a b", (a, b) => {
    a.n -= 7;
    b.n += 7;
  });
  assertEquals(await setup.storage.get("b"), { n: 107 });
});

Deno.test("Transactor.run() sends what shares a scope as one commit, and the rest beside it", async () => {
  await using setup = new Setup();
  const results = Promise.all([
    setup.increment("a"),
    setup.increment("b"),
    setup.increment("a"),
    setup.scoped("b c", (b, c) => c.n = b.n),
    setup.increment("d"),
  ]);
  assertEquals(await results, [1, 1, 2, 1, 1]);
  assertEquals(setup.requests, 1);
  assertEquals(setup.storage.requests[0]!.map(({ checks }) => checks.length), [1, 2, 1]);
});

Deno.test("Transactor.run() lets bodies see what is under way, and takes it back when that is refused", async () => {
  await using setup = new Setup();
  await setup.increment();
  const held = hold();
  setup.storage.fates.push(held.fate);
  const first = setup.increment();
  await held.arrived;
  const seen: number[] = [];
  const second = setup.scoped("a", (a) => (seen.push(a.n), a.n = a.n + 1));
  await setup.storage.set("a", { n: 50 });
  held.release();
  assertEquals([await first, await second, seen], [51, 52, [2, 51]]);
  assertEquals(await setup.storage.get("a"), { n: 52 });
});

Deno.test("Transactor.run() loses no write when part of what waits is refused", async () => {
  await using setup = new Setup();
  await Promise.all(["a", "b", "c"].map(setup.increment));
  const held = hold();
  setup.storage.fates.push(held.fate);
  const flying = setup.increment("a");
  await held.arrived;
  // the first of these rests on nothing that is refused, but the second connects it with what is
  const waiting = [
    setup.increment("b"),
    setup.scoped("a b", (a, b) => b.n = a.n + b.n),
    setup.scoped("b c", (b, c) => c.n = b.n + c.n),
    setup.increment("b"),
  ];
  await setup.storage.set("a", { n: 100 });
  held.release();
  assertEquals(await flying, 101);
  await Promise.all(waiting);
  // in any order: both increments and the sum are there
  const { n } = await setup.storage.get("b") as { n: number };
  assertEquals(n, 1 + 1 + 1 + 101);
});

Deno.test("Transactor.run() waits for bodies that wait, one at a time on a scope", async () => {
  await using setup = new Setup();
  let running = 0;
  let most = 0;
  let runs = 0;
  const results = await Promise.all(
    Array.from({ length: 20 }, () =>
      setup.scoped("a", async (a) => {
        runs++;
        most = Math.max(most, ++running);
        const { n = 0 } = a;
        await settled();
        a.n = n + 1;
        running--;
        return a.n;
      })),
  );
  assertEquals(results, Array.from({ length: 20 }, (_, i) => i + 1));
  assertEquals([most, runs], [1, 20]);
});

Deno.test("Transactor.run() gives a body that is overtaken again and again its turn", async () => {
  await using setup = new Setup();
  const stop = new AbortController();
  let overtakes = 0;
  const overtaking = (async () => {
    // handlers that touch mp.scope run at once, before anybody knows that they do
    while (!stop.signal.aborted) {
      await Promise.all([
        setup.implicit((scope) => scope("a").n = (scope("a").n ?? 0) + 1),
        settled(),
      ]);
      overtakes++;
    }
  })();
  let runs = 0;
  const slow = await setup.implicit(async (scope) => {
    runs++;
    const { n = 0 } = scope("a");
    for (let i = 0; i < 50; i++) await settled();
    return scope("a").n = n + 1000;
  });
  stop.abort();
  await overtaking;
  assert(slow > 1000, "it rests on what the others did");
  assert(runs <= 4, `it ran ${runs} times`);
  assertEquals((await setup.storage.get("a") as { n: number }).n, 1000 + overtakes);
});

Deno.test("Transactor.run() gives two that exclude each other their turns", async () => {
  await using setup = new Setup();
  const both = (first: string, second: string) =>
    setup.implicit(async (scope) => {
      const x = (scope(first).n ?? 0) + 1;
      await settled();
      const y = (scope(second).n ?? 0) + 1;
      await settled();
      scope(first).n = x;
      scope(second).n = y;
    });
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => i % 2 ? both("a", "b") : both("b", "a")),
  );
  assertEquals([await setup.storage.get("a"), await setup.storage.get("b")], [
    { n: 20 },
    { n: 20 },
  ]);
});

Deno.test("Transactor.run() runs a body again as part of what it was called from", async () => {
  await using setup = new Setup();
  const user = new AsyncLocalStorage<string>();
  await setup.storage.set("a", { log: [] });
  const held = hold();
  setup.storage.fates.push(held.fate);
  const calls = ["ada", "grace"].map((name) =>
    user.run(name, () =>
      setup.scoped("a", (a) => {
        (a.log ??= []).push(user.getStore());
        return user.getStore();
      }))
  );
  await held.arrived;
  held.release();
  assertEquals(await Promise.all(calls), ["ada", "grace"]);
  assertEquals(await setup.storage.get("a"), { log: ["ada", "grace"] });
});

Deno.test("Transactor.run() makes requests as part of no call", async () => {
  await using setup = new Setup();
  const call = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  setup.storage.otherwise = (run) => (seen.push(call.getStore()), run());
  await call.run("a call", () => setup.increment());
  assertEquals(seen, [undefined]);
});

Deno.test("Transactor.run() keeps drafts from being used after their body", async () => {
  await using setup = new Setup();
  let escaped: ScopeDraft = {};
  await setup.scoped("a", (a) => {
    a.list = [1];
    escaped = a;
  });
  for (const use of [() => escaped.list, () => escaped.n = 1, () => Object.keys(escaped)]) {
    let error: unknown;
    try {
      use();
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof MpError && error.code === "scope_after_effect");
  }
  assertEquals(await setup.scoped("a", (a) => a.list.length), 1);
});

Deno.test("Transactor.run() refuses what is not JSON, and names the place", async () => {
  await using setup = new Setup();
  const error = await assertRejects(
    () => setup.scoped("a", (a) => a.deep = { when: [new Date()] }),
    TypeError,
  );
  assertEquals(
    (error as Error).message,
    'Cannot store scope "a": .deep.when[0] (a Date) is not JSON',
  );
  assertEquals(await setup.storage.get("a"), undefined);
});

Deno.test("Transactor.run() keeps what is known of a scope from objects of the body", async () => {
  await using setup = new Setup();
  const cart = { items: [1] };
  await setup.scoped("a", (a) => a.cart = cart);
  cart.items.push(2);
  assertEquals(await setup.scoped("a", (a) => a.cart.items.length), 1);
});

Deno.test("Transactor.run() removes and replaces documents", async () => {
  await using setup = new Setup();
  const id = scopeId("a");
  const run = <T>(body: Body<T>) => setup.transactor.run(body, { timeout: 10_000, scopes: [id] });
  await run((view) => view.replace(id, { x: { n: 1 }, y: 2 }));
  assertEquals(await setup.storage.get("a"), { x: { n: 1 }, y: 2 });
  await run((view) => view.replace(id, view.open(id).x));
  assertEquals(await setup.storage.get("a"), { n: 1 });
  const copy = { n: 5, m: 0 };
  await run((view) => {
    view.replace(id, copy);
    copy.m = 6;
    view.open(id).n++;
  });
  assertEquals(await setup.storage.get("a"), { n: 6, m: 6 });
  await run((view) => view.remove(id));
  assertEquals(await setup.storage.get("a"), undefined);
  await run((view) => {
    view.remove(id);
    view.open(id).n = 1;
  });
  assertEquals(await setup.storage.get("a"), { n: 1 });
  for (const wrong of [1, null, [], "x", new Date()]) {
    await assertRejects(() => run((view) => view.replace(id, wrong)), TypeError, "Cannot set");
  }
});

Deno.test("Transactor.run() settles a transaction that touches nothing, without a request", async () => {
  await using setup = new Setup();
  assertEquals(await setup.transactor.run(() => 7, { timeout: 1_000 }), 7);
  assertEquals(setup.requests, 0);
});

Deno.test("Transactor.run() takes along what cannot be read back as an object", async () => {
  await using setup = new Setup();
  await setup.storage.set("a", [1]);
  await assertRejects(() => setup.scoped("a", ({ n }) => n), TypeError, "not an object");
});

Deno.test("Transactor.run() reads more scopes than are kept in memory", async () => {
  await using setup = new Setup();
  const ids = Array.from({ length: 10_050 }, (_, i) => scopeId(`s${i}`));
  const sum = () =>
    setup.transactor.run((view) => {
      let sum = 0;
      for (const id of ids) sum += view.open(id).n ?? 1;
      view.open(ids[0]!).n = 2;
      return sum;
    }, { timeout: 60_000, scopes: ids });
  assertEquals(await sum(), 10_050);
  assertEquals(await sum(), 10_051);
});

Deno.test("Transactor.run() encodes a document once for all that change it together", async () => {
  await using setup = new Setup();
  const list = Array.from({ length: 20_000 }, (_, i) => ({ id: i, name: "x".repeat(40) }));
  await setup.scoped("a", (a) => a.list = list);
  const original = JSON.stringify;
  let encoded = 0;
  JSON.stringify = ((...args: Parameters<typeof original>) => {
    const text = original(...args);
    if (text.length > 1_000) encoded++;
    return text;
  }) as typeof original;
  try {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => setup.scoped("a", (a) => a.list[i].id = -1)),
    );
  } finally {
    JSON.stringify = original;
  }
  assertEquals(encoded, 1);
});

Deno.test("Transactor.run() counts exactly over several replicas", async () => {
  const data = memoryData();
  const transactors = Array.from({ length: 3 }, () => {
    const storage = new ScriptedStorage(data);
    storage.otherwise = async (run) => {
      await settled();
      return await run();
    };
    return new Transactor({ storage });
  });
  const id = scopeId("a");
  const results = await Promise.all(
    transactors.flatMap((transactor) =>
      Array.from({ length: 40 }, () =>
        transactor.run((view) => {
          const scope = view.open(id);
          // as the original's users write it
          if (!scope.count) scope.count = 0;
          scope.count++;
          return scope.count as number;
        }, { timeout: 10_000, scopes: [id] }))
    ),
  );
  assertEquals(results.toSorted((a, b) => a - b), Array.from({ length: 120 }, (_, i) => i + 1));
  await Promise.all(transactors.map((transactor) => transactor.close()));
});

/** A replica to which replica a hands scopes on, and what it hands on itself. */
function chained() {
  const setup = new Setup();
  const told: [string, string][] = [];
  const tell = (session: string, text: string) => told.push([session, text]) > 0;
  const transactor = new Transactor({
    storage: setup.storage,
    replica: { name: "svc.compute.1", siblings: { tell } },
  });
  const increment = () =>
    transactor.run((view) => {
      const a = view.open(scopeId("a"));
      return a.n = (a.n ?? 0) + 1;
    }, { timeout: 10_000, scopes: [scopeId("a")] });
  return {
    setup,
    told,
    transactor,
    increment,
    async [Symbol.asyncDispose]() {
      await transactor.close();
      await setup[Symbol.asyncDispose]();
    },
  };
}

const A = newSession("svc.compute.0");

Deno.test("Transactor.take() goes on from a commit that is on its way, and tells the next one", async () => {
  await using at = chained();
  // it is carried out before the one that rests on it
  const ahead = hold();
  at.setup.storage.fates.push(async (run, options, batch) => {
    await at.setup.storage.set("a", { n: 5 }, { session: A, seq: 1 });
    return await ahead.fate(run, options, batch);
  });
  at.transactor.take(
    encodeBaton({ scope: scopeId("a"), version: `${A}.1`, text: '{"n":5}', rests: [] }),
  );
  const result = at.increment();
  await ahead.arrived;
  await settled();
  await settled();
  // told before it is known what becomes of it
  const [[to, text]] = at.told as [[string, string]];
  const { version, ...baton } = decodeBaton(text)!;
  assertEquals(baton, { scope: scopeId("a"), text: '{"n":6}', rests: [`${A}.1`] });
  assertEquals([to, tagOf(sessionOf(version)!)], [A, replicaTag("svc.compute.1")]);
  ahead.release();
  assertEquals(await result, 6);
  assertEquals(at.setup.requests, 1);
});

Deno.test("Transactor.take() is a bet: what rests on a commit that was not carried out runs again", async () => {
  await using at = chained();
  await at.setup.storage.set("a", { n: 1 });
  at.transactor.take(
    encodeBaton({ scope: scopeId("a"), version: `${A}.1`, text: '{"n":5}', rests: [] }),
  );
  assertEquals(await at.increment(), 2);
  assertEquals(await at.setup.storage.get("a"), { n: 2 });
  await settled();
  await settled();
  // and what rests on one that was refused here is not even tried
  const version = decodeBaton(at.told[0]![1])!.version;
  const before = at.setup.requests;
  at.transactor.take(encodeBaton({
    scope: scopeId("a"),
    version: `${A}.2`,
    text: '{"n":70}',
    rests: [version],
  }));
  assertEquals(await at.increment(), 3);
  const checks = at.setup.storage.requests.slice(before).flat().flatMap(({ checks }) => checks);
  assertEquals(checks.filter(({ version }) => version === `${A}.2`), []);
});

Deno.test("Transactor.take() hands on what it has no use for, and ignores what is no such thing", async () => {
  await using at = chained();
  at.transactor.take("no baton");
  const other = newSession("svc.compute.2");
  const text = encodeBaton({
    scope: scopeId("a"),
    version: `${A}.1`,
    text: '{"n":5}',
    rests: [`${other}.4`],
  });
  at.transactor.take(text);
  await settled();
  await settled();
  assertEquals(at.told.map(([, text]) => text), [text]);
  await at.transactor.close();
  at.transactor.take(text);
  assertEquals(at.told.length, 1);
});

Deno.test("Transactor.take() keeps what comes while a commit is on its way, until that has landed", async () => {
  await using at = chained();
  at.transactor.take(
    encodeBaton({ scope: scopeId("a"), version: `${A}.1`, text: '{"n":1}', rests: [] }),
  );
  await at.setup.storage.set("a", { n: 1 }, { session: A, seq: 1 });
  const first = hold();
  at.setup.storage.fates.push(first.fate);
  const one = at.increment();
  await first.arrived;
  await settled();
  await settled();
  const { version } = decodeBaton(at.told.at(-1)![1])!;
  // the next one goes on from it, and so does the one after that
  at.transactor.take(encodeBaton({
    scope: scopeId("a"),
    version: `${A}.2`,
    text: '{"n":3}',
    rests: [version],
  }));
  const two = at.increment();
  first.release();
  assertEquals(await one, 2);
  await at.setup.storage.set("a", { n: 3 }, { session: A, seq: 2 });
  assertEquals(await two, 4);
});

Deno.test("Transactor.take() has a commit sent again as it is that came before one on which it rests", async () => {
  await using at = chained();
  await at.setup.storage.set("a", { n: 1 }, { session: A, seq: 1 });
  const B = newSession("svc.compute.2");
  at.transactor.take(encodeBaton({
    scope: scopeId("a"),
    version: `${B}.1`,
    text: '{"n":2}',
    rests: [`${A}.1`],
  }));
  const early = hold();
  // the one before comes only after it has been refused
  at.setup.storage.fates.push(async (run) => {
    const results = await run();
    await at.setup.storage.set("a", { n: 2 }, { session: B, seq: 1 });
    return results;
  }, early.fate);
  let runs = 0;
  const result = at.transactor.run((view) => {
    runs++;
    return ++view.open(scopeId("a")).n;
  }, { timeout: 10_000, scopes: [scopeId("a")] });
  await early.arrived;
  early.release();
  assertEquals([await result, runs], [3, 1]);
  const [first, second] = at.setup.storage.requests;
  assertEquals(second, first);
});

Deno.test("Transactor.take() runs bodies again where what they rest on does not come at all", async () => {
  await using at = chained();
  await at.setup.storage.set("a", { n: 1 }, { session: A, seq: 1 });
  const lost = newSession("svc.compute.2");
  at.transactor.take(encodeBaton({
    scope: scopeId("a"),
    version: `${lost}.1`,
    text: '{"n":70}',
    rests: [`${A}.1`],
  }));
  assertEquals(await at.increment(), 2);
  // sent a few times, then run again, maybe after a look
  assert(at.setup.requests >= 5 && at.setup.requests <= 7, `${at.setup.requests}`);
});
