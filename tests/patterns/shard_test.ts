import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { shard, shardOf } from "../../patterns/shard.ts";
import { MpError } from "../../runtime/errors.ts";
import { partOf, route } from "./routed.ts";

const target = (word: unknown) => word;

Deno.test("shardOf() takes whole numbers modulo the shards, never below 0", () => {
  const cases: [number, number, number][] = [
    [0, 4, 0],
    [5, 4, 1],
    [-1, 4, 3],
    [-4, 4, 0],
    [-5, 4, 3],
    [-0, 4, 0],
    [7, 1, 0],
    [Number.MAX_SAFE_INTEGER, 10, 1],
    [Number.MIN_SAFE_INTEGER, 10, 9],
  ];
  for (const [key, shards, expected] of cases) assertEquals(shardOf(key, shards), expected);
  fc.assert(fc.property(fc.maxSafeInteger(), fc.integer({ min: 1, max: 10_000 }), (key, shards) => {
    const found = shardOf(key, shards);
    assert(found >= 0 && found < shards);
    assertEquals((BigInt(key) - BigInt(found)) % BigInt(shards), 0n);
  }));
});

Deno.test("shardOf() places the same strings on the same shards for ever", () => {
  // frozen: data is placed by these, so that another shard would lose it
  const placed: [string, number[]][] = [
    ["", [1, 3, 7, 60]],
    ["a", [1, 2, 7, 7]],
    ["b", [0, 0, 7, 34]],
    ["ada", [1, 1, 6, 33]],
    ["grace", [1, 1, 5, 78]],
    ["hello, world", [1, 1, 1, 21]],
    ["é", [1, 1, 8, 48]],
    ["日本", [0, 3, 3, 46]],
    ["👩‍👧", [0, 0, 4, 13]],
    ["a".repeat(1000), [0, 0, 4, 96]],
  ];
  for (const [key, shards] of placed) {
    assertEquals([2, 4, 10, 100].map((count) => shardOf(key, count)), shards, key);
  }
});

Deno.test("shardOf() spreads strings evenly", () => {
  for (const shards of [2, 3, 10, 64]) {
    const counts = new Array(shards).fill(0);
    for (let i = 0; i < 50_000; i++) counts[shardOf(`user-${i}`, shards)]++;
    const fair = 50_000 / shards;
    const deviation = Math.max(...counts.map((count) => Math.abs(count - fair)));
    assert(deviation < 6 * Math.sqrt(fair), `${shards} shards: ${counts}`);
  }
});

Deno.test("shardOf() moves a string only to the shard that is added, and then about one in n", () => {
  for (const shards of [1, 2, 4, 9, 31]) {
    let moved = 0;
    for (let i = 0; i < 20_000; i++) {
      const [before, after] = [shardOf(`key ${i}`, shards), shardOf(`key ${i}`, shards + 1)];
      if (before === after) continue;
      moved++;
      assertEquals(after, shards);
    }
    const fair = 20_000 / (shards + 1);
    assert(Math.abs(moved - fair) < 6 * Math.sqrt(fair), `${shards} → ${shards + 1}: ${moved}`);
  }
});

Deno.test("shardOf() refuses keys that are neither whole numbers nor strings", () => {
  const cases: [unknown, string][] = [
    [NaN, "NaN"],
    [1.5, "1.5"],
    [Infinity, "Infinity"],
    [2 ** 53, "9007199254740992"],
    [null, "null"],
    [undefined, "undefined"],
    [{}, "object"],
    [["a"], "object"],
    [true, "boolean"],
    [1n, "bigint"],
    [() => 1, "function"],
  ];
  for (const [key, shown] of cases) {
    const error = assertThrows(
      () => shardOf(key, 4),
      MpError,
      `Cannot choose a shard: the key is ${shown}, not a whole number or a string`,
    );
    assertEquals(error.code, "invalid_shard_key");
  }
});

Deno.test("shardOf() refuses a number of shards that is none", () => {
  for (const shards of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => shardOf(1, shards), RangeError, `one of ${shards} shards`);
    assertThrows(() => shardOf("a", shards), RangeError);
  }
});

Deno.test("shard() calls the one replica that the key chooses, and passes its reply on", async () => {
  const part = partOf(4, (index, { request }) => [index, request]);
  const byNumber = shard(4, (n: number) => n, target);
  assertEquals(await route(byNumber, -1, { compute: part }), [3, -1]);
  const byText = shard(4, async (text: string) => await text, target);
  const index = shardOf("ada", 4);
  assertEquals(await route(byText, "ada", { compute: part }), [index, "ada"]);
  assertEquals(part.calls.map(({ index }) => index), [3, index]);
});

Deno.test("shard() counts the shards that there are, not those that the script says", async () => {
  const byNumber = shard(4, (n: number) => n, target);
  assertEquals(await route(byNumber, 7, { compute: partOf(10, (index) => index) }), 7);
});

Deno.test("shard() takes a key from whatever can be awaited", async () => {
  const thenable = { then: (resolve: (key: number) => void) => resolve(2) };
  const pattern = shard(4, () => thenable as unknown as Promise<number>, target);
  assertEquals(await route(pattern, 1, { compute: partOf(4, (index) => index) }), 2);
});

Deno.test("shard() hands the context to the key", async () => {
  const pattern = shard(4, (_request: unknown, { service }) => service.length, target);
  assertEquals(await route(pattern, 1, { compute: partOf(4, (index) => index) }), 1);
});

Deno.test("shard() fails with invalid_shard_key when there is no key, and calls nobody", async () => {
  const thrown = new Error("no user");
  const keys: [() => unknown, string][] = [
    [() => NaN, "the key is NaN"],
    [() => ({}), "the key is object"],
    [() => undefined, "the key is undefined"],
    [() => Promise.resolve(null), "the key is null"],
    [() => Promise.resolve(0.5), "the key is 0.5"],
    [() => {
      throw thrown;
    }, "the key failed: no user"],
    [() => Promise.reject(thrown), "the key failed: no user"],
  ];
  for (const [key, message] of keys) {
    const part = partOf(4, () => 1);
    const pattern = shard(4, key as () => number, target);
    const error = await assertRejects(
      () => route(pattern, 1, { compute: part }),
      MpError,
      `Cannot choose a shard: ${message}`,
    );
    assertEquals(error.code, "invalid_shard_key");
    assertEquals(part.calls, []);
    if (message.includes("failed")) assertEquals(error.cause, thrown);
  }
});

Deno.test("shard() makes the same of both forms, with parts shard and compute", () => {
  const key = () => 1;
  const short = shard(3, key, target);
  const long = shard({ replicas: 3, key, target, env: { A: "1" } });
  for (const { pattern, router, parts } of [short, long]) {
    assertEquals([pattern, router], ["shard", { name: "shard", replicas: 1 }]);
    assertEquals(parts, { compute: { replicas: 3, state: "keyed", target } });
  }
  assertEquals([short.options, long.options], [{}, { env: { A: "1" } }]);
});

Deno.test("shard() refuses wrong arguments by their names", () => {
  // deno-lint-ignore no-explicit-any -- what a script without types may pass
  const make = shard as any;
  const key = () => 1;
  const cases: [unknown[], new (message: string) => Error, string][] = [
    [[2.5, key, target], RangeError, "mp.shard(): 2.5 is not a whole number of replicas"],
    [[0, key, target], RangeError, "0 is not"],
    [[3, "user", target], TypeError, "mp.shard(): key is string, not a function"],
    [[3, key], TypeError, "mp.shard(): target is undefined, not a function or a pattern"],
    [[{ replicas: 3, target }], TypeError, "key is undefined"],
    [
      [{ replicas: 3, key, target, idempotent: true, hedge: { after: 5 } }],
      TypeError,
      "mp.shard(): hedge needs replicas any of which can answer",
    ],
    [[], TypeError, "key is undefined"],
  ];
  for (const [args, kind, message] of cases) assertThrows(() => make(...args), kind, message);
});
