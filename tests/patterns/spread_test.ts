import { assert, assertEquals, assertThrows } from "@std/assert";
import { spread } from "../../patterns/spread.ts";
import { partOf, route } from "./routed.ts";

const target = (word: unknown) => word;

Deno.test("spread() calls one replica, and passes its reply on", async () => {
  const part = partOf(3, (index, { request }) => [index, request]);
  const [index, request] = await route(spread(3, target), "a", { compute: part }) as unknown[];
  assertEquals([part.calls.length, part.calls[0]!.index, request], [1, index, "a"]);
});

Deno.test("spread() chooses by its strategy", async () => {
  const indices = async (pattern: typeof byTurns, part = partOf(3, (index) => index)) => {
    const found: unknown[] = [];
    for (let i = 0; i < 60; i++) found.push(await route(pattern, 1, { compute: part }));
    return found;
  };
  const byTurns = spread(3, target, { strategy: "round-robin" });
  assertEquals((await indices(byTurns)).slice(0, 5), [0, 1, 2, 0, 1]);
  const random = spread({ replicas: 3, target, strategy: "random" });
  assertEquals(new Set(await indices(random)).size, 3);
  // the last one has many calls that wait
  const loaded = { ...partOf(3, (index) => index), pending: (i: number) => i === 2 ? 99 : 0 };
  const counts = (await indices(spread(3, target), loaded)).filter((index) => index === 2).length;
  // it is chosen only when both choices fall on it: one time of nine
  assert(counts < 25, `${counts}`);
});

Deno.test("spread() calls as many replicas as there are, not as many as the script says", async () => {
  const byTurns = spread(2, target, { strategy: "round-robin" });
  const part = partOf(5, (index) => index);
  const found = new Set<unknown>();
  for (let i = 0; i < 5; i++) found.add(await route(byTurns, 1, { compute: part }));
  assertEquals(found.size, 5);
});

Deno.test("spread() makes the same of both forms, with parts shard and compute", () => {
  const short = spread(3, target, { strategy: "random" });
  const long = spread({ replicas: 3, target, strategy: "random", resources: { cpu: 1 } });
  for (const { pattern, router, parts } of [short, long]) {
    assertEquals([pattern, router], ["spread", { name: "shard", replicas: 1 }]);
    assertEquals(parts, { compute: { replicas: 3, state: "none", target } });
  }
  assertEquals([short.options, long.options], [{}, { resources: { cpu: 1 } }]);
});

Deno.test("spread() refuses wrong arguments by their names", () => {
  // deno-lint-ignore no-explicit-any -- what a script without types may pass
  const make = spread as any;
  const cases: [unknown[], new (message: string) => Error, string][] = [
    [[0, target], RangeError, "mp.spread(): 0 is not a whole number of replicas"],
    [["2", target], TypeError, "the number of replicas is string"],
    [[2], TypeError, "mp.spread(): target is undefined, not a function or a pattern"],
    [[2, target, { strategy: "fastest" }], RangeError, 'Cannot spread by "fastest"'],
    [[{ replicas: 2, target, strategy: "" }], RangeError, 'Cannot spread by ""'],
    [[{ replicas: 1, target, hedge: { after: 5 } }], RangeError, "hedge needs at least 2 replicas"],
    [[{ replicas: 2, target, hedge: 5 }], TypeError, "give hedge as { after: 20 }"],
    [[{ replicas: 2, target, hedge: { after: "p99" } }], TypeError, 'or { after: "p95" }'],
    [[{ replicas: 2, target, hedge: { after: 0 } }], RangeError, "hedge after 0"],
    [[{ replicas: 2, target, hedge: null }], TypeError, "give hedge as"],
    [[{ replicas: 2, target, retries: -1 }], RangeError, "retries -1"],
    [[{ replicas: 2, target, retries: "2" }], TypeError, "retries is string"],
    [[{ replicas: 2, target, idempotent: 1 }], TypeError, "idempotent is number"],
    [[{ replicas: 2, target, maxConcurrent: 0 }], RangeError, "maxConcurrent 0"],
    [[{ replicas: 2, target, maxQueued: 1.5 }], RangeError, "maxQueued 1.5"],
    [[], TypeError, "target is undefined"],
  ];
  for (const [args, kind, message] of cases) assertThrows(() => make(...args), kind, message);
});
