import { assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { memoryData, memoryStorage } from "../../../drivers/storage/memory.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { StorageDrivers } from "../../../runtime/storage/lazy_storage.ts";
import { ScriptedStorage } from "../transact/scripted_storage.ts";
import { storageFault } from "../../../runtime/storage/storage_fault.ts";
import { Tree } from "./tree.ts";

/** One memory that all replicas share, as they would share a server. */
function shared(): StorageDrivers {
  const data = memoryData();
  return { memory: (_config, namespace) => Promise.resolve(memoryStorage({ namespace, data })) };
}

async function refusal(promise: Promise<unknown>): Promise<MpError> {
  return await assertRejects(() => promise, MpError);
}

Deno.test("Replica makes a handler that touches mp.scope one transaction, across replicas", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service(
      "counter",
      mp.spread(3, () => {
        mp.scope.global!.requests = (mp.scope.global!.requests ?? 0) + 1;
        return mp.scope.global!.requests;
      }),
    );
  }, { storages: shared() });
  const counts = await Promise.all(
    Array.from({ length: 60 }, () => tree.call("counter.shard.0")),
  );
  assertEquals(
    counts.map(Number).sort((a, b) => a - b),
    Array.from({ length: 60 }, (_, i) => i + 1),
  );
});

Deno.test("Replica runs mp.scoped() as a transaction, before and after which calls may be made", async () => {
  await using tree = await Tree.start((mp) => {
    const price = mp.service("price", (item: string) => item.length);
    mp.service("order", async (item: string) => {
      const cost = await price.call(item);
      return await mp.scoped("orders", (orders) => {
        orders.total = (orders.total ?? 0) + cost;
        return orders.total;
      });
    });
  }, { storages: shared() });
  assertEquals(await tree.call("order.0", "tea"), 3);
  assertEquals(await tree.call("order.0", "coffee"), 9);
});

Deno.test("Replica says what of a scope mp.scoped() cannot return", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("svc", () =>
      mp.scoped("global", (scope) => {
        scope.list = [];
        scope.list.length = 1;
        return scope;
      }));
  }, { storages: shared() });
  const { message } = await refusal(tree.call("svc.0"));
  assertEquals(message, "Cannot return a part of a scope: .list[0] (undefined) is not JSON");
});

Deno.test("Replica writes nothing for a handler that throws", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("svc", (fail: boolean) => {
      mp.scope.global!.count = (mp.scope.global!.count ?? 0) + 1;
      if (fail) throw new Error("no");
      return mp.scope.global!.count;
    });
  }, { storages: shared() });
  assertEquals(await tree.call("svc.0", false), 1);
  const error = await refusal(tree.call("svc.0", true));
  assertEquals([error.code, error.message, error.replica], ["handler_failed", "no", "svc.0"]);
  assertEquals(await tree.call("svc.0", false), 2);
});

Deno.test("Replica refuses a scope after an effect, and an effect after a scope", async () => {
  await using tree = await Tree.start((mp) => {
    const other = mp.service("other", () => 1);
    mp.service("after", async () => {
      await other.call();
      return mp.scope.global;
    });
    mp.service("before", async () => {
      mp.scope.global!.count = 1;
      return await other.call();
    });
  }, { storages: shared() });
  for (const name of ["after.0", "before.0"]) {
    assertEquals((await refusal(tree.call(name))).code, "scope_after_effect");
  }
});

Deno.test("Replica has no scope of a user without authentication", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("svc", () => mp.scope.user!.name ?? null);
  }, { storages: shared() });
  assertEquals((await refusal(tree.call("svc.0"))).code, "unauthorized");
});

Deno.test("Replica names a storage that is not part of the program", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("svc", () => mp.scope.global!.count ?? null);
  });
  const error = await refusal(tree.call("svc.0"));
  assertEquals([error.code, error.service, error.replica], ["unsupported", "svc", "svc.0"]);
});

Deno.test("Replica loads the scopes of a handler in one read, before it begins", async () => {
  const storage = new ScriptedStorage();
  await storage.set("a", { n: 1 });
  await storage.set("b", { n: 2 });
  const runs: string[] = [];
  await using tree = await Tree.start((mp) => {
    const sum = (name: string) => {
      runs.push(name);
      return mp.scope.a.n + mp.scope.b.n;
    };
    mp.service("loaded", mp.spread({ replicas: 1, target: sum, scopes: ["a", "b", "user"] }));
    mp.service("unloaded", sum);
  }, { storages: { memory: () => Promise.resolve(storage) } });
  const loaded = "loaded.compute.0";
  assertEquals(await Promise.all([tree.call(loaded, "1"), tree.call(loaded, "2")]), [3, 3]);
  assertEquals([runs, storage.reads], [["1", "2"], 1]);
  await storage.set("a", { n: 10 });
  assertEquals(await tree.call(loaded, "3"), 12);
  assertEquals([runs, storage.reads], [["1", "2", "3", "3"], 1]);
  runs.length = 0;
  assertEquals(await tree.call("unloaded.0", "4"), 12);
  assertEquals([runs, storage.reads], [["4", "4"], 1]);
});

Deno.test("Replica runs a handler whose scopes cannot be loaded, and finds them by its commit", async () => {
  const storage = new ScriptedStorage();
  await storage.set("a", { n: 1 });
  storage.reading = () => Promise.reject(storageFault("unreachable", "Cannot read: it is away"));
  await using tree = await Tree.start((mp) => {
    mp.service("svc", () => mp.scope.a.n as number, { scopes: ["a"] });
  }, { storages: { memory: () => Promise.resolve(storage) } });
  assertEquals(await tree.call("svc.0"), 1);
});

Deno.test("Replica gives a handler that runs again a fresh copy of its request", async () => {
  const storage = new ScriptedStorage();
  await storage.set("a", { n: 1 });
  let runs = 0;
  await using tree = await Tree.start((mp) => {
    mp.service("svc", (request: { list: number[] }) => {
      runs++;
      request.list.push(mp.scope.a.n ?? 0);
      try {
        mp.scope.a.n++;
      } catch {
        // whatever a handler hides
      }
      return request;
    });
  }, { storages: { memory: () => Promise.resolve(storage) } });
  assertEquals(await tree.call("svc.0", { list: [7] }), { list: [7, 1] });
  assertEquals([runs, await storage.get("a")], [2, { n: 2 }]);
});

Deno.test("Replica encodes what a handler returns before any other runs", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("svc", (item: string) => {
      const list: string[] = mp.scope.a.list ??= [];
      list.push(item);
      return { list, scope: mp.scope.a };
    });
    mp.service("explicit", (item: string) =>
      mp.scoped("b", (b) => {
        (b.list ??= []).push(item);
        return b;
      }));
  }, { storages: shared() });
  for (const name of ["svc.0", "explicit.0"]) {
    const replies = await Promise.all(["a", "b", "c"].map((item) => tree.call(name, item)));
    const lengths = replies.map((reply) => (reply as { list: string[] }).list.length);
    assertEquals(lengths.sort(), [1, 2, 3]);
  }
});

Deno.test("Replica takes one round trip for a handler that only reads", async () => {
  const storage = new ScriptedStorage();
  await using tree = await Tree.start((mp) => {
    mp.service("svc", () => [mp.scope.a.n ?? null, mp.scope.b.n ?? null]);
  }, { storages: { memory: () => Promise.resolve(storage) } });
  for (const requests of [1, 2, 3]) {
    assertEquals(await tree.call("svc.0"), [null, null]);
    assertEquals([storage.requests.length, storage.reads], [requests, 0]);
    assertEquals(
      storage.requests.at(-1)!.map(({ checks, mutations }) => [checks.length, mutations]),
      [
        [2, []],
      ],
    );
  }
});

Deno.test("Replica hands a scope on that others change too, while its own commit is on its way", async () => {
  const data = memoryData();
  let underWay = 0;
  let most = 0;
  const answering = new Set<Promise<void>>();
  const slow = (namespace: string) => {
    const storage = memoryStorage({ namespace, data });
    return {
      ...storage,
      // carried out at once, and answered late, as by a server that writes to its disk
      async commit(...args: Parameters<typeof storage.commit>) {
        const results = await storage.commit(...args);
        const isDone = args[0].some(({ mutations }, i) => mutations.length > 0 && results[i]!.done);
        if (isDone) most = Math.max(most, ++underWay);
        const answer = new Promise<void>((resolve) => setTimeout(resolve, 5));
        answering.add(answer);
        await answer;
        answering.delete(answer);
        if (isDone) underWay--;
        return results;
      },
    };
  };
  await using tree = await Tree.start((mp) => {
    mp.service(
      "counter",
      mp.spread(4, () => {
        mp.scope.global!.requests = (mp.scope.global!.requests ?? 0) + 1;
        return mp.scope.global!.requests;
      }),
    );
  }, { storages: { memory: (_config, namespace) => Promise.resolve(slow(namespace)) } });
  let count = 0;
  // some calls pass until replicas know of each other
  while (most < 3 && count < 2_000) {
    const counts = await Promise.all(
      Array.from({ length: 40 }, () => tree.call("counter.shard.0")),
    );
    counts.sort((a, b) => Number(a) - Number(b));
    assertEquals(counts, Array.from({ length: 40 }, () => ++count));
  }
  // commits on one scope, of which each rests on the one before, and none is answered yet
  assertGreaterOrEqual(most, 3);
  for (const { scopes } of tree.replicas.values()) await scopes.close();
  await Promise.all(answering);
});
