import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  assertDependsOn,
  assertOnlyExposed,
  assertReplicas,
  dependsOn,
  exposedPaths,
  MpError,
  PlanAssertionError,
  planOf,
  planSnapshot,
} from "@metaparticle/mp/testing";

const shop = await planOf(import.meta.resolve("./topologies/shop.ts"));
const nested = await planOf("examples/nested.ts");

Deno.test("dependsOn() follows calls through others, one way", () => {
  assert(dependsOn(shop, "count.gather", "count.scatter"));
  assert(dependsOn(shop, "count", "count.scatter"));
  assert(!dependsOn(shop, "count.scatter", "count.gather"));
  assert(!dependsOn(shop, "stock", "stock"));
  const [router] = nested.nodes;
  const leaf = nested.nodes.at(-1)!;
  assert(!router!.needs.includes(leaf.path) && dependsOn(nested, router!.path, leaf.path));
  assertThrows(() => dependsOn(shop, "cuont", "count"), TypeError, "the paths are count.gather");
});

Deno.test("assertDependsOn() says what is called instead", () => {
  assertDependsOn(shop, "count.gather", "count.scatter");
  assertThrows(
    () => assertDependsOn(shop, "count.gather", "stock"),
    PlanAssertionError,
    '"count.gather" does not depend on "stock"; it calls count.scatter',
  );
  assertThrows(
    () => assertDependsOn(shop, "stock", "env"),
    PlanAssertionError,
    '"stock" does not depend on "env"; it calls nothing',
  );
});

Deno.test("assertOnlyExposed() names what is exposed too much and too little", () => {
  assertEquals(exposedPaths(shop), ["count.gather"]);
  assertOnlyExposed(shop, "count.gather");
  assertOnlyExposed(shop, "count");
  assertThrows(
    () => assertOnlyExposed(shop, "stock"),
    PlanAssertionError,
    '"stock" is not exposed, and "count.gather" is exposed',
  );
  assertThrows(() => assertOnlyExposed(shop), PlanAssertionError, '"count.gather" is exposed');
});

Deno.test("exposedPaths() leaves the built-in ingress out", async () => {
  const plan = await planOf("examples/search/topology.ts");
  assert(!exposedPaths(plan).includes("ingress"));
});

Deno.test("assertReplicas() counts all replicas of a path", () => {
  assertReplicas(shop, "count.scatter", 3);
  assertThrows(
    () => assertReplicas(shop, "count.scatter", 4),
    PlanAssertionError,
    '"count.scatter" has 3 replicas, not 4',
  );
});

Deno.test("planSnapshot() is the same for the same topology, whatever its handlers do", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  const snapshot = async (handler: string) => {
    await Deno.writeTextFile(
      path,
      `import * as mp from "@metaparticle/mp";\nmp.service("a", ${handler}, { expose: true });\n`,
    );
    return planSnapshot(await planOf(path, { name: "snapped" }));
  };
  try {
    const one = await snapshot("() => 1");
    assertEquals(await snapshot("() => 2"), one);
    assert((await snapshot("mp.spread(2, () => 2)")) !== one);
    assertEquals(JSON.parse(one).nodes[0].path, "a");
    assert(!one.includes("revision"));
    const keys = Object.keys(JSON.parse(one).nodes[0]);
    assertEquals(keys, keys.toSorted());
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("planOf() takes counts and environment, and tells what is wrong", async () => {
  const plan = await planOf(import.meta.resolve("./topologies/shop.ts"), {
    replicas: { "count.scatter": 7 },
    name: "other",
  });
  assertReplicas(plan, "count.scatter", 7);
  assertEquals(plan.app, "other");
  await assertRejects(() => planOf("absent.ts"), MpError, "no such file");
});
