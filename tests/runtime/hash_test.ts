import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { hash32, mix32 } from "../../runtime/hash.ts";

// frozen: data is placed by these, so that another value would lose it
const HASHES: [string, number, number][] = [
  ["", 0, 1364076727],
  ["a", 453868544, 4113583656],
  ["b", 1960908804, 4118796809],
  ["ab", 2333459593, 3893787040],
  ["ba", 3273457128, 3963986267],
  ["ada", 2164624213, 3398268200],
  ["hello, world", 2155131087, 3598277222],
  ["é", 3402649887, 2944495746],
  ["日本", 1789823225, 2171714121],
  ["👩‍👧", 2733218666, 1592149995],
  ["\0", 4268857960, 2478216692],
  ["a".repeat(1000), 493041811, 2521993597],
];

Deno.test("hash32() gives the same values for ever", () => {
  for (const [text, hash, seeded] of HASHES) {
    assertEquals([hash32(text), hash32(text, 1)], [hash, seeded], JSON.stringify(text));
  }
});

Deno.test("mix32() gives the same values for ever", () => {
  // 0x514e28b7 for 1: the finalizer as published
  const mixed: [number, number][] = [
    [0, 0],
    [1, 0x514e28b7],
    [-1, 2180083513],
    [0x7fffffff, 4190899880],
    [0x80000000, 1832674720],
    [12345, 1011272156],
  ];
  for (const [value, expected] of mixed) assertEquals(mix32(value), expected);
});

Deno.test("hash32() gives unsigned integers of 32 bits for any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.integer(), (text, seed) => {
    const hash = hash32(text, seed);
    assert(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32);
    assertEquals(hash32(text, seed), hash);
  }));
});

Deno.test("hash32() spreads similar texts evenly, and hardly ever collides", () => {
  const count = 100_000;
  const seen = new Set<number>();
  const buckets = new Array(64).fill(0);
  for (let i = 0; i < count; i++) {
    const hash = hash32(`user-${i}`);
    seen.add(hash);
    buckets[hash % 64]++;
    buckets[(hash >>> 26) % 64]++;
  }
  // about one collision is expected: n²/2³³
  assert(count - seen.size < 10, `${count - seen.size} collisions`);
  const expected = 2 * count / 64;
  for (const bucket of buckets) assert(Math.abs(bucket - expected) < expected * 0.1, `${bucket}`);
});

Deno.test("mix32() gives no value twice", () => {
  const seen = new Set<number>();
  for (let i = 0; i < 100_000; i++) seen.add(mix32(i * 42_949));
  assertEquals(seen.size, 100_000);
});
