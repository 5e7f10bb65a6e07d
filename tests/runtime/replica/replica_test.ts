import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import type { Context } from "../../../mod.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { AddressBook, ReplicaAddress } from "../../../runtime/launch/address_book.ts";
import { type Script, Tree } from "./tree.ts";

const nameOf = (_request: unknown, { replica }: Context) => replica.name;

async function refusal(promise: Promise<unknown>): Promise<MpError> {
  return await assertRejects(() => promise, MpError);
}

Deno.test("Replica answers a scatter over its leaves", async () => {
  await using tree = await Tree.start((mp) => {
    const leaf = (word: string, { replica }: Context) => `${word}${replica.index}/${replica.count}`;
    mp.service("hist", mp.scatter(4, leaf, (parts, word) => [word, ...parts]));
  });
  assertEquals(await tree.call("hist.gather.0", "a"), ["a", "a0/4", "a1/4", "a2/4", "a3/4"]);
  assertEquals(await tree.call("hist.scatter.2", "b"), "b2/4");
  const many = await Promise.all(
    Array.from({ length: 200 }, (_, i) => tree.call("hist.gather.0", `${i}-`)),
  );
  assertEquals(many[137], ["137-", "137-0/4", "137-1/4", "137-2/4", "137-3/4"]);
});

Deno.test("Replica sends a shard's requests to the one that their key chooses, each with a state of its own", async () => {
  await using tree = await Tree.start((mp) => {
    const seen: number[] = [];
    const target = (n: number, { replica }: Context) => [replica.index, seen.push(n), [...seen]];
    mp.service("kept", mp.shard(3, (n) => n, target), { replicas: 2 });
  });
  assertEquals(await tree.call("kept.shard.0", 4), [1, 1, [4]]);
  assertEquals(await tree.call("kept.shard.0", 5), [2, 1, [5]]);
  assertEquals(await tree.call("kept.shard.1", 7), [1, 2, [4, 7]]);
  assertEquals(await tree.call("kept.shard.1", -3), [0, 1, [-3]]);
  const error = await refusal(tree.call("kept.shard.0", 0.5));
  assertEquals([error.code, error.replica], ["invalid_shard_key", "kept.shard.0"]);
});

Deno.test("Replica spreads requests over all that are there", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("even", mp.spread(3, nameOf, { strategy: "round-robin" }));
    mp.service("load", mp.spread(3, nameOf));
  });
  const names = await Promise.all([1, 2, 3, 4].map((n) => tree.call("even.shard.0", n)));
  assertEquals(names, [0, 1, 2, 0].map((i) => `even.compute.${i}`));
  const spread = await Promise.all(Array.from({ length: 60 }, () => tree.call("load.shard.0", 1)));
  assertEquals(new Set(spread).size, 3);
});

Deno.test("Replica hosts the router of a nested pattern, and calls its own children only", async () => {
  await using tree = await Tree.start((mp) => {
    const inner = mp.scatter(3, nameOf, (parts, _request: unknown) => parts);
    const outer = mp.scatter(2, inner, (parts: string[][]) => parts);
    mp.service("deep", mp.shard(2, (n: number) => n, outer));
  });
  assertEquals(tree.replicas.size, 1 + 2 + 4 + 12);
  for (const shard of [0, 1]) {
    const leaf = (i: number) => `deep.compute.scatter.scatter.${6 * shard + i}`;
    assertEquals(await tree.call("deep.shard.0", shard), [
      [leaf(0), leaf(1), leaf(2)],
      [leaf(3), leaf(4), leaf(5)],
    ]);
  }
  const { info } = tree.replicas.get("deep.compute.scatter.scatter.10")!;
  assertEquals([info.index, info.count], [1, 3]);
});

Deno.test("Replica takes the numbers of replicas from the address book, not from the script", async () => {
  const script: Script = (mp) => {
    mp.service("hist", mp.scatter(10, nameOf, (parts) => parts));
  };
  await using tree = await Tree.start(script, { widths: { "hist.scatter": 2 } });
  assertEquals(await tree.call("hist.gather.0"), ["hist.scatter.0", "hist.scatter.1"]);
});

Deno.test("Replica calls services of the same topology, which inherit deadline and request id", async () => {
  await using tree = await Tree.start((mp) => {
    const stock = mp.service("stock", (item: string, { deadline, requestId, service }: Context) => [
      item,
      service,
      requestId,
      deadline - Date.now(),
    ], { replicas: 2 });
    mp.service("order", async (item: string) => {
      await Promise.resolve();
      assertEquals(mp.current().service, "order");
      return await stock.call(item);
    });
  });
  const reply = await tree.call("order.0", "tea", 2_000) as [string, string, string, number];
  assertEquals(reply.slice(0, 3), ["tea", "stock", "test-1"]);
  assertGreater(reply[3], 1_000);
  assertLess(reply[3], 2_001);
});

Deno.test("Replica names the leaf in which a call failed, and reports it there once", async () => {
  await using tree = await Tree.start((mp) => {
    const leaf = (_request: unknown, { replica }: Context) => {
      if (replica.index === 1) throw new TypeError("no such word");
      return 1;
    };
    mp.service("outer", mp.spread(1, mp.scatter(3, leaf, (parts) => parts)));
  });
  const error = await refusal(tree.call("outer.shard.0", 1));
  assertEquals(error.toData(), {
    code: "handler_failed",
    message: "no such word",
    service: "outer",
    replica: "outer.compute.scatter.1",
    reason: "threw",
  });
  assertEquals(tree.faults.map(String), ["TypeError: no such word"]);
});

Deno.test("Replica fails a call whose leaf hangs, and names the leaf", async () => {
  await using tree = await Tree.start((mp) => {
    const leaf = (_request: unknown, { replica }: Context) =>
      replica.index === 1 ? new Promise<number>(() => {}) : 1;
    const gather = (parts: number[]) => parts;
    mp.service("slow", mp.scatter({ replicas: 2, leaf, gather, timeout: 50 }));
  });
  const error = await refusal(tree.call("slow.gather.0", 1));
  assertEquals([error.code, error.replica, error.service], [
    "deadline_exceeded",
    "slow.scatter.1",
    "slow",
  ]);
});

Deno.test("Replica fails calls to one that is gone, and reaches it again when it is back", async () => {
  await using tree = await Tree.start((mp) => {
    const key = (n: number) => n;
    mp.service("pair", mp.shard({ replicas: 2, key, target: nameOf, timeout: 200 }));
  });
  tree.replicas.get("pair.compute.1")!.close();
  const error = await refusal(tree.call("pair.shard.0", 1));
  assertEquals([error.code, error.replica], ["replica_unreachable", "pair.compute.1"]);
  // the other one is as it was
  assertEquals(await tree.call("pair.shard.0", 0), "pair.compute.0");
  await tree.start("pair.compute", 1);
  tree.replicas.get("pair.shard.0")!.switchboard.up(["pair.compute.1"]);
  assertEquals(await tree.call("pair.shard.0", 1), "pair.compute.1");
});

Deno.test("startReplica() refuses a script that makes another topology than was planned", async () => {
  let evaluations = 0;
  const script: Script = (mp) => {
    mp.service("svc", nameOf);
    if (evaluations++ > 1) mp.service(`other-${evaluations}`, nameOf);
  };
  await using tree = await Tree.start(script);
  const error = await refusal(tree.start("svc", 0));
  assertEquals(error.code, "revision_mismatch");
  assert(error.message.startsWith("Cannot start svc.0: the script makes revision "));
  assert(error.next!.includes("environment"));
});

Deno.test("startReplica() refuses a path and an index that are not there", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("svc", nameOf);
  });
  const path = await refusal(tree.start("nobody", 0));
  assertEquals([path.code, path.message], [
    "launch_failed",
    'Cannot start a replica of "nobody": the topology has no such path',
  ]);
  const index = await refusal(tree.start("svc", 7));
  assertEquals([index.code, index.message], [
    "launch_failed",
    "Cannot start svc.7: the address book does not list it",
  ]);
});

Deno.test("startReplica() fails with what the script throws, and refuses its calls at the top level", async () => {
  let evaluations = 0;
  const calls: Promise<unknown>[] = [];
  const script: Script = (mp) => {
    const svc = mp.service("svc", nameOf);
    if (evaluations++ === 1) calls.push(refusal(svc.call()));
    if (evaluations === 3) throw new RangeError("third time");
  };
  await using tree = await Tree.start(script);
  const early = await calls[0] as MpError;
  assertEquals([early.code, early.reason], ["replica_unreachable", "absent"]);
  assert(early.message.includes("still being loaded"));
  await assertRejects(() => tree.start("svc", 0), RangeError, "third time");
});

Deno.test("Replica follows the book as replicas come and go, and fails no call meanwhile", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("many", mp.spread(2, nameOf, { strategy: "round-robin" }));
  });
  const router = tree.replicas.get("many.shard.0")!;
  const { book } = tree;
  const second = book.replicas.find(({ path, index }) => path === "many.compute" && index === 1)!;
  const third = { ...second, index: 2, peer: `${second.peer}3` } as ReplicaAddress;
  const more: AddressBook = { ...book, generation: 2, replicas: [...book.replicas, third] };
  await tree.start("many.compute", 2, more);

  let calling = true;
  const names = new Set<unknown>();
  const calls = (async () => {
    while (calling) names.add(await tree.call("many.shard.0"));
  })();
  for (const replica of tree.replicas.values()) replica.follow(more);
  await router.ready();
  while (!names.has("many.compute.2")) await tree.call("many.shard.0");

  const fewer: AddressBook = {
    ...book,
    generation: 3,
    replicas: book.replicas.filter((replica) => replica !== second),
  };
  for (const replica of tree.replicas.values()) replica.follow(fewer);
  // who has left the book is drained when its routers have answered and left it
  const { signal } = new AbortController();
  for (const name of ["many.compute.1", "many.compute.2"]) {
    await tree.replicas.get(name)!.drain({ linger: 0, leave: false }, signal);
  }
  names.clear();
  while (names.size === 0) await tree.call("many.shard.0");
  calling = false;
  await calls;
  assertEquals([...names], ["many.compute.0"]);
  // an older book changes nothing
  router.follow(more);
  assertEquals(await tree.call("many.shard.0"), "many.compute.0");
});

Deno.test("Replica.drain() answers what has come", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  await using tree = await Tree.start((mp) => {
    mp.service("svc", () => (ask(), promise));
  });
  const reply = tree.call("svc.0");
  await asked;
  let drained = false;
  const draining = tree.replicas.get("svc.0")!.drain(
    { linger: 0, leave: false },
    new AbortController().signal,
  )
    .then(() => drained = true);
  assertEquals(drained, false);
  resolve(7);
  assertEquals(await reply, 7);
  await draining;
});
