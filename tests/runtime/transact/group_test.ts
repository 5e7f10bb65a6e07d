import { assertEquals } from "@std/assert";
import { groupByScope } from "../../../runtime/transact/group.ts";

const grouped = (...transactions: string[]) => groupByScope(transactions, (scopes) => scopes);

Deno.test("groupByScope() keeps apart what shares no scope", () => {
  assertEquals(grouped(), []);
  assertEquals(grouped("a"), [["a"]]);
  assertEquals(grouped("a", "b", "c"), [["a"], ["b"], ["c"]]);
});

Deno.test("groupByScope() joins what shares a scope, also by way of others, in order", () => {
  assertEquals(grouped("a", "b", "a"), [["a", "a"], ["b"]]);
  assertEquals(grouped("a", "b", "c", "ab"), [["a", "b", "ab"], ["c"]]);
  assertEquals(grouped("ab", "cd", "ef", "bc", "x", "fa"), [["ab", "cd", "ef", "bc", "fa"], ["x"]]);
});

Deno.test("groupByScope() never puts a scope into two groups", () => {
  // a small generator with a fixed seed (xorshift)
  let seed = 42;
  const next = (below: number) => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % below;
  };
  for (let round = 0; round < 200; round++) {
    const transactions = Array.from(
      { length: next(20) },
      () => Array.from({ length: 1 + next(3) }, () => String(next(25))),
    );
    const groups = groupByScope(transactions, (scopes) => scopes);
    assertEquals(groups.flat().length, transactions.length);
    const owners = new Map<string, number>();
    groups.forEach((group, i) => {
      const order = group.map((transaction) => transactions.indexOf(transaction));
      assertEquals(order, order.toSorted((a, b) => a - b));
      for (const scope of group.flat()) {
        assertEquals(owners.get(scope) ?? i, i);
        owners.set(scope, i);
      }
    });
  }
});
