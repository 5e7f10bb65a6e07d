import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { scatter } from "../../../patterns/scatter.ts";
import { shard } from "../../../patterns/shard.ts";
import { spread } from "../../../patterns/spread.ts";
import type { PatternTarget, Target } from "../../../runtime/topology/target.ts";
import { type Placed, walk, type Widths } from "../../../runtime/topology/walk.ts";
import { boundApi } from "./bound_api.ts";

const leaf = () => 1;
const merge = (parts: unknown[]) => parts;
const key = () => "";

type Shape = Pick<Placed, "path" | "width" | "replicas" | "state">;
const shape = ({ path, width, replicas, state }: Placed): Shape => ({
  path,
  width,
  replicas,
  state,
});

function walked(
  // deno-lint-ignore no-explicit-any -- targets of every shape
  target: Target<any, any, any>,
  widths?: Widths,
  options: { replicas?: number } = {},
): Placed[] {
  const { mp, topology } = boundApi();
  mp.service("s", target as PatternTarget, options);
  return [...walk(topology, widths)];
}

Deno.test("walk() yields one subservice for a handler", () => {
  assertEquals(walked(leaf).map(shape), [{ path: "s", width: 1, replicas: 1, state: "none" }]);
  assertEquals(walked(leaf, {}, { replicas: 3 }).map(shape), [
    { path: "s", width: 3, replicas: 3, state: "none" },
  ]);
});

Deno.test("walk() yields a pattern's router, then its parts", () => {
  const places = walked(scatter(10, leaf, merge));
  assertEquals(places.map(shape), [
    { path: "s.gather", width: 1, replicas: 1, state: "none" },
    { path: "s.scatter", width: 10, replicas: 10, state: "indexed" },
  ]);
  assertEquals(places.map(({ parts }) => parts), [{ scatter: "s.scatter" }, {}]);
  assertEquals(walked(spread(2, leaf)).map(({ state }) => state), ["none", "none"]);
  assertEquals(walked(shard(2, key, leaf)).map(({ state }) => state), ["none", "keyed"]);
});

Deno.test("walk() multiplies the replicas of nested patterns, which host their routers themselves", () => {
  const places = walked(shard(4, key, scatter(3, spread(2, leaf), merge)));
  assertEquals(places.map(shape), [
    { path: "s.shard", width: 1, replicas: 1, state: "none" },
    { path: "s.compute", width: 4, replicas: 4, state: "keyed" },
    { path: "s.compute.scatter", width: 3, replicas: 12, state: "indexed" },
    { path: "s.compute.scatter.compute", width: 2, replicas: 24, state: "none" },
  ]);
  assertEquals(places.map(({ parts }) => parts), [
    { compute: "s.compute" },
    { scatter: "s.compute.scatter" },
    { compute: "s.compute.scatter.compute" },
    {},
  ]);
});

Deno.test("walk() lets replicas of a service's own router share its parts", () => {
  const places = walked(shard(4, key, scatter(3, leaf, merge)), {}, { replicas: 5 });
  assertEquals(places.map(({ replicas }) => replicas), [5, 4, 12]);
});

Deno.test("walk() takes widths instead of the script's numbers, and multiplies them", () => {
  const target = shard(4, key, scatter(3, leaf, merge));
  const replicas = (widths: Widths) => walked(target, widths).map((place) => place.replicas);
  assertEquals(replicas({ "s.compute": 2 }), [1, 2, 6]);
  assertEquals(replicas({ "s.compute.scatter": 5 }), [1, 4, 20]);
  assertEquals(replicas({ "s.shard": 3, "s.compute": 10, "s.compute.scatter": 1 }), [3, 10, 10]);
});

Deno.test("walk() is not confused by a service that is called as a member of every object", () => {
  const { mp, topology } = boundApi();
  mp.service("constructor", leaf);
  assertEquals([...walk(topology)].map(shape), [
    { path: "constructor", width: 1, replicas: 1, state: "none" },
  ]);
});

Deno.test("walk() lets inner options override outer ones", () => {
  const inner = scatter({
    replicas: 2,
    leaf,
    gather: merge,
    timeout: 300,
    env: { B: "inner", C: "inner" },
    resources: { memory: 64 },
  });
  const { mp, topology } = boundApi();
  mp.service(
    "s",
    spread({
      replicas: 2,
      target: inner,
      timeout: 200,
      env: { A: "pattern", B: "pattern" },
      resources: { cpu: 2 },
    }),
    { timeout: 100, env: { A: "service", D: "service" }, resources: { cpu: 1, memory: 32 } },
  );
  mp.service("t", leaf);
  const pick = ({ path, timeout, env, resources }: Placed) => ({ path, timeout, env, resources });
  const router = {
    path: "s.shard",
    timeout: 200,
    env: { A: "pattern", B: "pattern", D: "service" },
    resources: { cpu: 2, memory: 32 },
  };
  const nested = {
    timeout: 300,
    env: { A: "pattern", B: "inner", C: "inner", D: "service" },
    resources: { cpu: 2, memory: 64 },
  };
  assertEquals([...walk(topology)].map(pick), [
    router,
    { path: "s.compute", ...nested },
    { path: "s.compute.scatter", ...nested },
    { path: "t", timeout: 30_000, env: {}, resources: {} },
  ]);
});

Deno.test("walk() takes exposure from the script, then the service, then the pattern", () => {
  const { mp, topology } = boundApi();
  const inner = scatter({ replicas: 2, leaf, gather: merge, expose: { port: 90 } });
  const a = mp.service("a", spread({ replicas: 2, target: inner, expose: true }));
  mp.service("b", spread({ replicas: 2, target: leaf, expose: true }), { expose: false });
  const c = mp.service("c", leaf, { expose: true });
  const exposed = () => [...walk(topology)].map(({ path, expose }) => [path, expose]);
  assertEquals(exposed(), [
    ["a.shard", true],
    ["a.compute", { port: 90 }],
    ["a.compute.scatter", false],
    ["b.shard", false],
    ["b.compute", false],
    ["c", true],
  ]);
  c.expose = false;
  a.subservices.compute.subservices.scatter.expose = true;
  assertEquals(exposed().map(([, expose]) => expose), [
    true,
    { port: 90 },
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("walk() yields parents before children, and totals that are products of widths", () => {
  type Tree = { kind: "leaf" } | { kind: string; replicas: number; under: Tree };
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      fc.constant<Tree>({ kind: "leaf" }),
      fc.record({
        kind: fc.constantFrom("scatter", "shard", "spread"),
        replicas: fc.integer({ min: 1, max: 5 }),
        under: tie("tree"),
      }),
    ),
  }));
  // deno-lint-ignore no-explicit-any -- targets of every shape
  const build = (tree: Tree): Target<any, any, any> => {
    if (!("under" in tree)) return leaf;
    const under = build(tree.under);
    if (tree.kind === "scatter") return scatter(tree.replicas, under, merge);
    return tree.kind === "shard" ? shard(tree.replicas, key, under) : spread(tree.replicas, under);
  };
  fc.assert(fc.property(tree, fc.integer({ min: 1, max: 3 }), (tree, routers) => {
    const places = walked(build(tree), {}, { replicas: routers });
    const widths: number[] = [];
    for (let node = tree; "under" in node; node = node.under) widths.push(node.replicas);
    assertEquals(places.map(({ width }) => width), [routers, ...widths]);
    // the service's own routers share one tree of parts
    const products = widths.map((_, i) => widths.slice(0, i + 1).reduce((a, b) => a * b, 1));
    assertEquals(places.map(({ replicas }) => replicas), [routers, ...products]);
    for (const [i, place] of places.entries()) {
      const next = places[i + 1];
      assertEquals(Object.values(place.parts), next ? [next.path] : []);
    }
  }));
});
