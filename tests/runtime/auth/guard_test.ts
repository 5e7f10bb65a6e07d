import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { checkGuards, type Guard, guardOf, withGuard } from "../../../runtime/auth/guard.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { Context } from "../../../runtime/topology/context.ts";
import { Topology } from "../../../runtime/topology/topology.ts";
import { scatter } from "../../../patterns/scatter.ts";
import { shard } from "../../../patterns/shard.ts";

const guard: Guard = {
  name: "mp.basicAuth()",
  scheme: "Basic",
  realm: undefined,
  open: () => () => undefined,
};
const context = {} as Context;

Deno.test("withGuard() keeps a handler a handler", () => {
  const handler = (request: number, given: Context) => [request + 1, given === context];
  const guarded = withGuard(handler, guard);
  assertEquals(guarded(1, context), [2, true]);
  assertStrictEquals(guardOf(guarded), guard);
  assertEquals(guardOf(handler), undefined);
});

Deno.test("withGuard() keeps a pattern a pattern, and copies of it guarded", () => {
  const target = scatter(3, () => 1, (parts) => parts.length);
  const guarded = withGuard(target, guard);
  assertEquals(guardOf(target), undefined);
  assertStrictEquals(guardOf(guarded), guard);
  assertStrictEquals(guarded.parts, target.parts);
  assertStrictEquals(guarded.route, target.route);
  assertStrictEquals(guardOf({ ...guarded, options: { timeout: 5 } }), guard);
});

Deno.test("withGuard() keeps what a pattern inherits", () => {
  class Own {
    pattern = "own";
    router = { name: "router", replicas: 1 };
    parts = {};
    options = {};
    route = () => this.answer();
    answer() {
      return 7;
    }
  }
  const guarded = withGuard(new Own(), guard);
  assertEquals([guarded instanceof Own, guarded.answer()], [true, 7]);
});

Deno.test("withGuard() refuses a target that has a guard", () => {
  const guarded = withGuard(() => 1, { ...guard, name: "mp.bearerAuth()" });
  const error = assertThrows(() => withGuard(guarded, guard), MpError);
  assertEquals(error.code, "topology_invalid");
  assertEquals(
    error.message,
    "Cannot put the target into mp.basicAuth(): it is in mp.bearerAuth() already",
  );
});

Deno.test("checkGuards() takes guarded services, and names a guarded part at any depth", () => {
  const leaf = withGuard(() => 1, guard);
  const sum = (parts: number[]) => parts.length;
  checkGuards("svc", leaf);
  checkGuards("svc", withGuard(shard(2, () => 1, scatter(2, () => 1, sum)), guard));
  const cases = [
    [scatter(2, leaf, sum), "svc.scatter"],
    [shard(2, () => 1, withGuard(scatter(2, () => 1, sum), guard)), "svc.compute"],
    [shard(2, () => 1, scatter(2, leaf, sum)), "svc.compute.scatter"],
  ] as const;
  for (const [target, path] of cases) {
    const error = assertThrows(() => new Topology().add("svc", target, {}), MpError);
    assertEquals(error.code, "topology_invalid");
    assertEquals(
      error.message,
      `Cannot guard "${path}": it is a part, and only a whole service can be in mp.basicAuth()`,
    );
    assertEquals(error.next, 'Put the target of service "svc" into mp.basicAuth()');
  }
});
