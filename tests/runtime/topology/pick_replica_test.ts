import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { pickReplica, type SpreadStrategy } from "../../../runtime/topology/pick_replica.ts";
import type { Candidates, PickReplica } from "../../../runtime/topology/target.ts";

const STRATEGIES: SpreadStrategy[] = ["least-loaded", "round-robin", "random"];

/** A part whose replicas have so many calls without an answer; `undefined` for one that is not available. */
function part(loads: readonly (number | undefined)[]): Candidates {
  return {
    replicas: loads.length,
    pending: (index) => loads[index] ?? 0,
    available: (index) => loads[index] !== undefined,
  };
}

function count(pick: PickReplica, of: Candidates, times: number): number[] {
  const counts = new Array(of.replicas).fill(0);
  for (let i = 0; i < times; i++) counts[pick(of)]++;
  return counts;
}

Deno.test("pickReplica() picks an available replica when there is one, and always an index", () => {
  const loads = fc.array(fc.option(fc.nat(9), { nil: undefined }), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(loads, fc.constantFrom(...STRATEGIES), (loads, strategy) => {
    const pick = pickReplica(strategy);
    const of = part(loads);
    for (let i = 0; i < 20; i++) {
      const index = pick(of);
      assert(Number.isInteger(index) && index >= 0 && index < loads.length);
      if (loads.some((load) => load !== undefined)) assert(loads[index] !== undefined);
    }
  }));
});

Deno.test('pickReplica("round-robin") takes one after the other and passes over what is away', () => {
  const pick = pickReplica("round-robin");
  const take = (of: Candidates, times: number) => Array.from({ length: times }, () => pick(of));
  assertEquals(take(part([0, 0, 0]), 5), [0, 1, 2, 0, 1]);
  // the turn of one that is away is anybody's
  const [third, first, second] = take(part([0, 0, undefined]), 3);
  assert(third !== 2);
  assertEquals([first, second], [0, 1]);
  // with fewer replicas than before
  assertEquals(take(part([0]), 2), [0, 0]);
  assertEquals(take(part([undefined, undefined]), 3), [1, 0, 1]);
});

Deno.test("pickReplica() shares the work of one that is away among all others", () => {
  for (const strategy of STRATEGIES) {
    const counts = count(pickReplica(strategy), part([0, 0, undefined, 0]), 30_000);
    assertEquals(counts[2], 0);
    // the next one does not get the share of two
    for (const i of [0, 1, 3]) assert(Math.abs(counts[i]! - 10_000) < 700, `${strategy} ${counts}`);
  }
});

Deno.test('pickReplica("round-robin") has a turn of its own for every pick', () => {
  const [one, other] = [pickReplica("round-robin"), pickReplica("round-robin")];
  assertEquals([one(part([0, 0])), other(part([0, 0])), one(part([0, 0]))], [0, 0, 1]);
});

Deno.test('pickReplica("random") gives each the same share', () => {
  const counts = count(pickReplica("random"), part([9, 0, 5, 0]), 40_000);
  for (const share of counts) assert(Math.abs(share - 10_000) < 700, `${counts}`);
});

Deno.test('pickReplica("least-loaded") prefers the less loaded of two', () => {
  const counts = count(pickReplica("least-loaded"), part([100, 0, 100, 100]), 40_000);
  // the idle one is among two picks of four with probability 7/16, and no other is ever idle
  assert(Math.abs(counts[1]! - 17_500) < 800, `${counts}`);
  const equal = count(pickReplica("least-loaded"), part([3, 3, 3, 3]), 40_000);
  for (const share of equal) assert(Math.abs(share - 10_000) < 700, `${equal}`);
});

Deno.test('pickReplica("least-loaded") evens out loads as they grow', () => {
  const loads = new Array(10).fill(0);
  const pick = pickReplica("least-loaded");
  for (let i = 0; i < 10_000; i++) loads[pick(part(loads))]++;
  assert(Math.max(...loads) - Math.min(...loads) < 20, `${loads}`);
});

Deno.test("pickReplica() refuses a strategy that it does not know", () => {
  for (const strategy of ["fastest", "", "toString"]) {
    assertThrows(
      () => pickReplica(strategy as SpreadStrategy),
      RangeError,
      `Cannot spread by ${JSON.stringify(strategy)}: the strategies are least-loaded, round-robin`,
    );
  }
});
