import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type MemoryData, memoryData, memoryStorage } from "../../../drivers/storage/memory.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { Context } from "../../../mod.ts";
import { encodeMeta } from "../../../runtime/replica/call_meta.ts";
import type { StorageDrivers } from "../../../runtime/storage/lazy_storage.ts";
import { storageFault } from "../../../runtime/storage/storage_fault.ts";
import { KEPT_FOR } from "../../../runtime/transact/kept_reply.ts";
import type { ScopeDraft } from "../../../runtime/transact/view.ts";
import { type Script, Tree } from "./tree.ts";

/** Replicas that share a memory, of which every request is counted. */
class Shared {
  requests = 0;
  /** The number of a request that is refused. */
  refused = 0;
  #held: { number: number; arrived: () => void; gate: Promise<void> } | undefined;
  data: MemoryData = memoryData();
  now = Date.now;

  /** Holds up the request that is the `ahead`th from now. */
  hold(ahead: number): { readonly arrived: Promise<void>; release(): void } {
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const number = this.requests + ahead;
    this.#held = { number, arrived: arrived.resolve, gate: gate.promise };
    return { arrived: arrived.promise, release: gate.resolve };
  }

  get storages(): StorageDrivers {
    return {
      memory: (_config, namespace) => {
        const storage = memoryStorage({ namespace, data: this.data, now: () => this.now() });
        const commit: typeof storage.commit = async (...args) => {
          const number = ++this.requests;
          if (number === this.refused) throw storageFault("refused", "Cannot commit: not now");
          if (number === this.#held?.number) {
            this.#held.arrived();
            await this.#held.gate;
          }
          return await storage.commit(...args);
        };
        return Promise.resolve({ ...storage, commit });
      },
    };
  }

  start(script: Script): Promise<Tree> {
    return Tree.start(script, { storages: this.storages });
  }
}

/** Makes a call with a key, as another replica hands it on. */
async function call(
  tree: Tree,
  name: string,
  { key, request, user }: { key: string; request?: unknown; user?: string },
): Promise<unknown> {
  const text = request === undefined ? "" : JSON.stringify(request);
  const meta = encodeMeta({ requestId: "r", user, idempotencyKey: key });
  const reply = await tree.peer(name).call(text, { timeout: 5_000, meta });
  return reply === "" ? undefined : JSON.parse(reply);
}

async function refusal(promise: Promise<unknown>): Promise<MpError> {
  return await assertRejects(() => promise, MpError);
}

const counter: Script = (mp) => {
  mp.service(
    "counter",
    mp.spread(3, (by: number = 1) => {
      mp.scope.global.count = (mp.scope.global.count ?? 0) + by;
      return { count: mp.scope.global.count };
    }),
  );
};

Deno.test("keyedResponder() answers a call that was answered, on whichever replica, and changes nothing", async () => {
  await using tree = await new Shared().start(counter);
  assertEquals(await call(tree, "counter.compute.0", { key: "a" }), { count: 1 });
  assertEquals(await call(tree, "counter.compute.1", { key: "a" }), { count: 1 });
  assertEquals(await call(tree, "counter.compute.1", { key: "b" }), { count: 2 });
  for (const name of ["counter.compute.0", "counter.compute.2", "counter.shard.0"]) {
    assertEquals(await call(tree, name, { key: "a" }), { count: 1 });
    assertEquals(await call(tree, name, { key: "b" }), { count: 2 });
  }
  assertEquals(await tree.call("counter.compute.0"), { count: 3 });
});

Deno.test("keyedResponder() carries a call out once that is made many times at once", async () => {
  await using tree = await new Shared().start(counter);
  const names = ["counter.compute.0", "counter.compute.1", "counter.compute.2", "counter.shard.0"];
  for (const round of [1, 2, 3]) {
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, i) => call(tree, names[i % 4]!, { key: `key ${round}` })),
    );
    for (const reply of replies) assertEquals(reply, { count: round });
  }
});

Deno.test("keyedResponder() takes one round trip for a handler that is known to be a transaction", async () => {
  const shared = new Shared();
  await using tree = await shared.start(counter);
  const name = "counter.compute.0";
  // before the first it is looked whether the call was answered, for the handler may do anything
  assertEquals(await call(tree, name, { key: "a" }), { count: 1 });
  assertEquals(shared.requests, 2);
  assertEquals(await call(tree, name, { key: "b" }), { count: 2 });
  assertEquals(shared.requests, 3);
  // refused, with the reply; and confirmed
  assertEquals(await call(tree, name, { key: "a" }), { count: 1 });
  assertEquals(shared.requests, 5);
});

Deno.test("keyedResponder() refuses another request with the same key", async () => {
  await using tree = await new Shared().start(counter);
  assertEquals(await call(tree, "counter.compute.0", { key: "a", request: 5 }), { count: 5 });
  for (const request of [6, undefined]) {
    const error = await refusal(call(tree, "counter.compute.1", { key: "a", request }));
    assertEquals([error.code, error.service], ["idempotency_key_reused", "counter"]);
    assertStringIncludes(error.message, 'another request had the idempotency key "a"');
  }
  assertEquals(await call(tree, "counter.compute.1", { key: "a", request: 5 }), { count: 5 });
});

Deno.test("keyedResponder() refuses another request with the same key, though only a handler's own transaction was kept", async () => {
  await using tree = await new Shared().start((mp) => {
    mp.service(
      "pay",
      mp.spread(2, (amount: number) =>
        mp.scoped("account", (account) => {
          if (amount > 10) throw new Error(`no ${amount} left`);
          return account.paid = amount;
        })),
    );
  });
  const pay = (request: number) => refusal(call(tree, "pay.compute.0", { key: "a", request }));
  assertEquals((await pay(20)).message, "no 20 left");
  const reused = await pay(5);
  assertEquals(reused.code, "idempotency_key_reused");
  assertStringIncludes(reused.message, 'another request had the idempotency key "a"');
  assertEquals((await pay(20)).message, "no 20 left");
});

Deno.test("keyedResponder() keeps the error that a call came to, and nothing that it has changed", async () => {
  const shared = new Shared();
  let fails = true;
  await using tree = await shared.start((mp) => {
    const body = (scope: ScopeDraft) => {
      scope.count = (scope.count ?? 0) + 1;
      if (fails) throw new RangeError("no");
      return scope.count as number;
    };
    mp.service("implicit", mp.spread(2, () => body(mp.scope.global)));
    mp.service(
      "explicit",
      mp.spread(2, () =>
        mp.scoped("global", body).catch((error: Error) => {
          throw new Error(`${error.name}: ${error.message}`);
        })),
    );
    mp.service(
      "neither",
      mp.spread(2, () => {
        if (fails) throw new Error("no");
        return 0;
      }),
    );
    // what cannot be stored is an error of the transaction
    mp.service("nan", mp.spread(2, () => void (mp.scope.global.count = fails ? NaN : 100)));
  });
  const ends = {
    implicit: ["handler_failed", "no"],
    explicit: ["handler_failed", "RangeError: no"],
    neither: ["handler_failed", "no"],
    nan: ["handler_failed", 'Cannot store scope "global": .count (NaN) is not JSON'],
  };
  for (const [name, end] of Object.entries(ends)) {
    fails = true;
    // the first looks whether the call was answered, the second does not
    for (const key of ["a", "b"]) {
      fails = true;
      const first = await refusal(call(tree, `${name}.compute.0`, { key }));
      assertEquals([first.code, first.message, first.service], [...end, name]);
      fails = false;
      for (const replica of ["compute.1", "compute.0", "shard.0"]) {
        const error = await refusal(call(tree, `${name}.${replica}`, { key }));
        assertEquals([error.code, error.message, error.service], [...end, name]);
      }
    }
  }
  assertEquals(await call(tree, "implicit.compute.1", { key: "c" }), 1);
  assertEquals(await call(tree, "explicit.compute.1", { key: "c" }), 2);
  assertEquals(await call(tree, "neither.compute.1", { key: "c" }), 0);
});

Deno.test("keyedResponder() does not carry out an attempt that was lost when another has told an error", async () => {
  for (const name of ["implicit", "explicit"]) {
    const shared = new Shared();
    let fails = false;
    await using tree = await shared.start((mp) => {
      const body = (scope: ScopeDraft) => {
        if (fails) throw new Error("no");
        return scope.count = (scope.count ?? 0) + 1;
      };
      mp.service("implicit", mp.spread(2, () => body(mp.scope.global)));
      mp.service("explicit", mp.spread(2, () => mp.scoped("global", body)));
    });
    const [compute0, compute1] = [`${name}.compute.0`, `${name}.compute.1`];
    for (const replica of [compute0, compute1]) await call(tree, replica, { key: replica });
    // it has been looked whether it was answered, and the commit is on its way
    const held = shared.hold(name === "implicit" ? 1 : 2);
    const lost = refusal(call(tree, compute0, { key: "a" }));
    await held.arrived;
    fails = true;
    const told = await refusal(call(tree, compute1, { key: "a" }));
    fails = false;
    held.release();
    assertEquals([(await lost).code, (await lost).message], [told.code, "no"]);
    assertEquals(await call(tree, compute0, { key: "b" }), 3);
  }
});

Deno.test("keyedResponder() keeps no error of an attempt that was given up", async () => {
  let attempts = 0;
  await using tree = await new Shared().start((mp) => {
    mp.service("svc", async ({ wait }: { wait: boolean }, { signal }: Context) => {
      attempts++;
      const { n } = mp.scope.global;
      if (attempts === 1) {
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("it was given up")));
        });
      }
      return wait && (mp.scope.global.n = (n ?? 0) + 1);
    });
  });
  const request = JSON.stringify({ wait: true });
  const meta = encodeMeta({ requestId: "r", idempotencyKey: "a" });
  await refusal(tree.peer("svc.0").call(request, { timeout: 50, meta }));
  assertEquals(await call(tree, "svc.0", { key: "a", request: { wait: true } }), 1);
});

Deno.test("keyedResponder() keeps the reply of a handler without scopes", async () => {
  let runs = 0;
  await using tree = await new Shared().start((mp) => {
    mp.service("svc", (request: unknown) => ({ request, run: ++runs }));
    mp.service("nothing", () => void runs++);
  });
  const first = await call(tree, "svc.0", { key: "a", request: { __proto__: null, é: [1] } });
  assertEquals(first, { request: { é: [1] }, run: 1 });
  assertEquals(await call(tree, "svc.0", { key: "a", request: { é: [1] } }), first);
  assertEquals(await call(tree, "nothing.0", { key: "a" }), undefined);
  assertEquals(await call(tree, "nothing.0", { key: "a" }), undefined);
  assertEquals(runs, 2);
});

Deno.test("keyedResponder() does nothing twice that a handler with effects has done", async () => {
  const calls: unknown[] = [];
  await using tree = await new Shared().start((mp) => {
    const bank = mp.service("bank", (amount: number, { idempotencyKey }: Context) => {
      calls.push([amount, idempotencyKey]);
      return "paid";
    });
    mp.service("shop", async (amount: number, context: Context) => {
      const paid = await bank.call(amount, { idempotencyKey: `${context.idempotencyKey} bank` });
      const total = await mp.scoped("total", (total) => total.sum = (total.sum ?? 0) + amount);
      return { paid, total };
    });
  });
  const reply = { paid: "paid", total: 7 };
  for (const _ of [1, 2, 3]) {
    assertEquals(await call(tree, "shop.0", { key: "a", request: 7 }), reply);
  }
  assertEquals(calls, [[7, "a bank"]]);
});

Deno.test("keyedResponder() runs a handler's own transactions once, though the handler fails after them", async () => {
  let fails = true;
  await using tree = await new Shared().start((mp) => {
    mp.service("svc", async () => {
      const first = await mp.scoped("a", (a) => a.n = (a.n ?? 0) + 1);
      const second = await mp.scoped("a", (a) => a.n = (a.n ?? 0) + 10);
      await mp.scoped("b", () => {});
      if (fails) throw new Error("no");
      return [first, second];
    });
  });
  for (const _ of [1, 2]) await refusal(call(tree, "svc.0", { key: "a" }));
  fails = false;
  assertEquals(await call(tree, "svc.0", { key: "a" }), [1, 11]);
  assertEquals(await call(tree, "svc.0", { key: "b" }), [12, 22]);
});

Deno.test("keyedResponder() does not say that nothing was changed when only its reply cannot be kept", async () => {
  const shared = new Shared();
  await using tree = await shared.start((mp) => {
    mp.service("add", () => mp.scoped("a", (a) => a.n = (a.n ?? 0) + 1));
  });
  // it is looked first, then the handler's transaction is made, and then its reply is kept
  shared.refused = 3;
  const error = await refusal(call(tree, "add.0", { key: "k" }));
  assertEquals(error.code, "commit_unknown");
  assertEquals(await call(tree, "add.0", { key: "k" }), 1);
  assertEquals(await call(tree, "add.0", { key: "other" }), 2);
});

Deno.test("keyedResponder() names a transaction that is not the one that was run before", async () => {
  let scope = "a";
  await using tree = await new Shared().start((mp) => {
    mp.service("svc", async () => {
      await mp.scoped(scope, (it) => void (it.n = 1));
      throw new Error("no");
    });
    mp.service("odd", () => mp.scoped("a", () => new Map()));
  });
  assertEquals((await refusal(call(tree, "svc.0", { key: "a" }))).code, "handler_failed");
  scope = "b";
  const error = await refusal(call(tree, "svc.0", { key: "a" }));
  assertEquals(error.code, "idempotency_key_reused");
  assertStringIncludes(error.message, "Cannot run transaction 1");
  const odd = await refusal(call(tree, "odd.0", { key: "a" }));
  assertEquals(odd.code, "not_json");
  assertStringIncludes(odd.message, "Cannot keep the result of mp.scoped()");
});

Deno.test("keyedResponder() keeps replies for each leaf of a scatter, and for each user", async () => {
  await using tree = await new Shared().start((mp) => {
    const leaf = (_: unknown, { replica }: Context) => {
      mp.scope[replica.name].n = (mp.scope[replica.name].n ?? 0) + 1;
      return mp.scope[replica.name].n as number;
    };
    mp.service("all", mp.scatter(3, leaf, (parts: number[]) => parts));
    mp.service("nested", mp.scatter(2, mp.spread(2, leaf), (parts: number[]) => parts));
    mp.service("own", (_: unknown, { user }: Context) => {
      mp.scope.users[user!] = (mp.scope.users[user!] ?? 0) + 1;
      return { ...mp.scope.users };
    });
  });
  for (const _ of [1, 2, 3]) {
    assertEquals(await call(tree, "all.gather.0", { key: "a" }), [1, 1, 1]);
    // whichever of the two is asked below each
    assertEquals(await call(tree, "nested.gather.0", { key: "a" }), [1, 1]);
  }
  assertEquals(await call(tree, "all.gather.0", { key: "b" }), [2, 2, 2]);
  assertEquals(await call(tree, "own.0", { key: "a", user: "ada" }), { ada: 1 });
  assertEquals(await call(tree, "own.0", { key: "a", user: "bob" }), { ada: 1, bob: 1 });
  assertEquals(await call(tree, "own.0", { key: "a", user: "ada" }), { ada: 1 });
});

Deno.test("keyedResponder() stops what it took for a transaction at its first effect, and looks first", async () => {
  const shared = new Shared();
  const runs: unknown[] = [];
  await using tree = await shared.start((mp) => {
    const other = mp.service("other", () => "done");
    mp.service("svc", async (request: { calls: boolean; seen?: boolean }) => {
      runs.push({ ...request });
      request.seen = true;
      if (!request.calls) return mp.scope.global.n = (mp.scope.global.n ?? 0) + 1;
      // even who hides that it was stopped
      return await other.call().catch((error: MpError) => error.code);
    });
  });
  assertEquals(await call(tree, "svc.0", { key: "a", request: { calls: false } }), 1);
  for (const _ of [1, 2]) {
    assertEquals(await call(tree, "svc.0", { key: "b", request: { calls: true } }), "done");
  }
  assertEquals(runs, [{ calls: false }, { calls: true }, { calls: true }]);
});

Deno.test("keyedResponder() forgets a reply when its time is over", async () => {
  const shared = new Shared();
  await using tree = await shared.start(counter);
  await call(tree, "counter.compute.0", { key: "a" });
  shared.now = () => Date.now() + KEPT_FOR - 5_000;
  assertEquals(await call(tree, "counter.compute.1", { key: "a" }), { count: 1 });
  shared.now = () => Date.now() + KEPT_FOR + 1;
  assertEquals(await call(tree, "counter.compute.1", { key: "a" }), { count: 2 });
  // nothing is left of what nobody will ask for again
  shared.now = () => Date.now() + 3 * KEPT_FOR;
  await tree.call("counter.compute.0");
  const left = [...shared.data.records.keys()];
  assert(left.every((key) => !key.includes("reply")), left.join());
});

Deno.test("Replica refuses a scope to a router that has asked its parts", async () => {
  await using tree = await new Shared().start((mp) => {
    mp.service(
      "svc",
      mp.scatter(2, () => 1, (parts: number[]) => mp.scope.global.parts = parts.length),
    );
    mp.service(
      "sharded",
      mp.shard(2, () => (mp.scope.global.n ?? 0) as number, () => 1),
    );
  });
  for (const name of ["svc.gather.0", "sharded.shard.0"]) {
    const error = await refusal(tree.call(name));
    assertEquals(error.code, "scope_after_effect");
  }
});
