import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { scatter } from "../../patterns/scatter.ts";
import { MpError } from "../../runtime/errors.ts";
import { Payload } from "../../runtime/payload.ts";
import { callOf, partOf, route } from "./routed.ts";

const leaf = (word: string) => word.length;

Deno.test("scatter() asks every leaf once and gathers in their order", async () => {
  const seen: unknown[] = [];
  const target = scatter(4, leaf, (parts, request) => {
    seen.push(parts, request);
    return parts.reduce((a, b) => a + b, 0);
  });
  const answers = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
  const part = partOf(4, (index) => answers[index]!.promise);
  const reply = route(target, "word", { scatter: part });
  // they come in another order than they are asked
  for (let i = 3; i >= 0; i--) answers[i]!.resolve(i);
  assertEquals(await reply, 6);
  assertEquals(part.calls.map(({ index }) => index), [0, 1, 2, 3]);
  assertEquals(seen, [[0, 1, 2, 3], "word"]);
});

Deno.test("scatter() asks all leaves at once, with one payload", async () => {
  const target = scatter(100, leaf, (parts) => parts.length);
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<number>();
  const part = partOf(100, () => {
    if (++asked === 100) resolve(1);
    return promise;
  });
  assertEquals(await route(target, "word", { scatter: part }), 100);
  const payloads = new Set(part.calls.map(({ call }) => call.payload));
  assertEquals(payloads.size, 1);
});

Deno.test("scatter() asks as many leaves as there are, not as many as the script says", async () => {
  const target = scatter(10, leaf, (parts) => parts.length);
  for (const replicas of [1, 3, 20]) {
    assertEquals(await route(target, "", { scatter: partOf(replicas, () => 0) }), replicas);
  }
});

Deno.test("scatter() fails with the first leaf's error, and gathers nothing", async () => {
  let gathered = false;
  const target = scatter(3, leaf, () => gathered = true);
  const error = new MpError("handler_failed", "no", { replica: "s.scatter.1" });
  const part = partOf(3, (index) => index === 1 ? Promise.reject(error) : 1);
  const thrown = await assertRejects(() => route(target, "", { scatter: part }));
  assertStrictEquals(thrown, error);
  assertEquals(gathered, false);
  // the failures of others are nobody's rejected promises
  const all = partOf(3, () => Promise.reject(error));
  await assertRejects(() => route(target, "", { scatter: all }));
});

Deno.test("scatter() takes what gather promises, throws and leaves out", async () => {
  const parts = { scatter: partOf(2, (index) => index === 0 ? undefined : null) };
  const kept = scatter(2, () => {}, (parts) => Promise.resolve(parts));
  assertEquals(await route(kept, 1, parts), [undefined, null]);
  const throwing = scatter(2, () => {}, () => {
    throw new RangeError("no");
  });
  await assertRejects(() => route(throwing, 1, parts), RangeError, "no");
});

Deno.test("scatter() does not share what it decodes between calls", async () => {
  const target = scatter(1, () => [1], ([part]) => {
    part!.push(2);
    return part;
  });
  const parts = { scatter: partOf(1, () => [1]) };
  assertEquals(await route(target, 1, parts), [1, 2]);
  assertEquals(await route(target, 1, parts), [1, 2]);
});

Deno.test("scatter() makes the same of both forms, with parts gather and scatter", () => {
  const gather = (parts: number[]) => parts;
  const short = scatter(3, leaf, gather);
  const long = scatter({ replicas: 3, leaf, gather, expose: true, timeout: 5 });
  for (const { pattern, router, parts } of [short, long]) {
    assertEquals([pattern, router], ["scatter", { name: "gather", replicas: 1 }]);
    assertEquals(parts, { scatter: { replicas: 3, state: "indexed", target: leaf } });
  }
  assertEquals([short.options, long.options], [{}, { expose: true, timeout: 5 }]);
  assert(Object.isFrozen(short));
});

Deno.test("scatter() refuses wrong arguments by their names", () => {
  const gather = (parts: unknown[]) => parts;
  // deno-lint-ignore no-explicit-any -- what a script without types may pass
  const make = scatter as any;
  const cases: [unknown[], new (message: string) => Error, string][] = [
    [[0, leaf, gather], RangeError, "mp.scatter(): 0 is not a whole number of replicas from 1"],
    [[2.5, leaf, gather], RangeError, "2.5"],
    [[-1, leaf, gather], RangeError, "-1"],
    [[NaN, leaf, gather], RangeError, "NaN"],
    [[10_001, leaf, gather], RangeError, "10001"],
    [["3", leaf, gather], TypeError, "the number of replicas is string"],
    [[3, leaf], TypeError, "mp.scatter(): gather is undefined, not a function"],
    [[3, leaf, null], TypeError, "gather is null"],
    [[3, "leaf", gather], TypeError, "mp.scatter(): leaf is string, not a function or a pattern"],
    [[3, undefined, gather], TypeError, "leaf is undefined"],
    [[null, leaf, gather], TypeError, "the number of replicas is object"],
    [[], TypeError, "gather is undefined"],
    [[{ replicas: 3, leaf, gather, timeout: -1 }], RangeError, "timeout -1"],
    [[{ replicas: 3, leaf, gather, minParts: 4 }], RangeError, "minParts 4 is not a whole number"],
    [[{ replicas: 3, leaf, gather, minParts: 0 }], RangeError, "from 1 to 3"],
    [[{ replicas: 3, leaf, gather, minParts: "2" }], TypeError, "minParts is string"],
    [
      [{ replicas: 3, leaf, gather, idempotent: true, hedge: { after: 5 } }],
      TypeError,
      "mp.scatter(): hedge needs replicas any of which can answer",
    ],
    [[{ leaf, gather }], TypeError, "the number of replicas is undefined"],
  ];
  for (const [args, kind, message] of cases) assertThrows(() => make(...args), kind, message);
});

Deno.test("scatter() passes a request on that nobody has decoded", async () => {
  const target = scatter(2, () => 1, (parts) => parts.length);
  const payload = Payload.ofText("{never decoded");
  const part = partOf(2, () => 1);
  const call = { ...callOf(undefined), payload };
  assertEquals(await target.route(call, { scatter: part }), 2);
  assertStrictEquals(part.calls[1]!.call.payload, payload);
});

/** A part whose leaves answer, fail, or hang, by their index. */
function someOf(answers: readonly (number | MpError | Promise<number>)[]) {
  return partOf(
    answers.length,
    (index) => answers[index] instanceof MpError ? Promise.reject(answers[index]) : answers[index],
  );
}

const failure = (replica: string) => new MpError("replica_unreachable", "no", { replica });

Deno.test("scatter() with minParts gathers what has come, and names what is missing", async () => {
  const seen: unknown[] = [];
  const target = scatter({
    replicas: 4,
    leaf,
    minParts: 2,
    gather: (parts, request, { missing }) => {
      seen.push(parts, request, missing);
      return parts.length;
    },
  });
  const [one, two] = [failure("s.part.3"), failure("s.part.1")];
  assertEquals(await route(target, "word", { scatter: someOf([10, two, 30, one]) }), 2);
  assertEquals(seen, [[10, 30], "word", [
    { index: 1, replica: "s.part.1", error: two },
    { index: 3, replica: "s.part.3", error: one },
  ]]);
  assertEquals(await route(target, "word", { scatter: someOf([1, 2, 3, 4]) }), 4);
  assertEquals(seen.slice(3), [[1, 2, 3, 4], "word", []]);
});

Deno.test("scatter() with minParts keeps parts that are lists apart", async () => {
  const target = scatter({
    replicas: 2,
    leaf: () => [1, 2],
    minParts: 1,
    gather: (parts: number[][]) => parts,
  });
  const part = partOf(2, (index) => index === 0 ? [1, 2] : Promise.reject(failure("s.part.1")));
  assertEquals(await route(target, "", { scatter: part }), [[1, 2]]);
});

Deno.test("scatter() with minParts fails as soon as too few can answer", async () => {
  const target = scatter({ replicas: 3, leaf, minParts: 2, gather: (parts) => parts.length });
  const last = failure("s.part.2");
  const part = someOf([new Promise<number>(() => {}), failure("s.part.1"), last]);
  assertStrictEquals(await assertRejects(() => route(target, "", { scatter: part })), last);
});

Deno.test("scatter() with minParts gives the leaves a little less time than it has itself", async () => {
  const target = scatter({ replicas: 1, leaf, minParts: 1, gather: (parts) => parts.length });
  const { now } = Date;
  Date.now = () => 1_000_000;
  try {
    for (const [left, reserve] of [[30_000, 250], [1_000, 100], [200, 50], [60, 30]] as const) {
      const part = partOf(1, () => 1);
      const call = callOf("");
      const context = { ...call.context, deadline: 1_000_000 + left };
      await target.route({ ...call, request: "", context }, { scatter: part });
      assertEquals(part.calls[0]!.options, { timeout: left - reserve });
    }
  } finally {
    Date.now = now;
  }
});

Deno.test("scatter() without minParts needs all leaves, and no time of its own", async () => {
  const seen: unknown[] = [];
  const target = scatter(2, leaf, (_parts, _request, { missing }) => void seen.push(missing));
  const part = partOf(2, () => 1);
  await route(target, "", { scatter: part });
  assertEquals([seen, part.calls[0]!.options], [[[]], undefined]);
});

Deno.test("scatter() with fewer leaves than minParts, by --replicas, needs all", async () => {
  const target = scatter({ replicas: 5, leaf, minParts: 4, gather: (parts) => parts.length });
  assertEquals(await route(target, "", { scatter: someOf([1, 2]) }), 2);
  const failing = someOf([1, failure("s.part.1")]);
  await assertRejects(() => route(target, "", { scatter: failing }), MpError);
});
