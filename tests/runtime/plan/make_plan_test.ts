import { assert, assertEquals, assertFalse, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { scatter } from "../../../patterns/scatter.ts";
import { shard } from "../../../patterns/shard.ts";
import { spread } from "../../../patterns/spread.ts";
import { bearerAuth } from "../../../runtime/auth/bearer_auth.ts";
import { MpError } from "../../../runtime/errors.ts";
import { makePlan, scalesInPlace } from "../../../runtime/plan/make_plan.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";
import type { ScriptApi } from "../../../runtime/topology/api.ts";
import type { Widths } from "../../../runtime/topology/walk.ts";
import { boundApi } from "../topology/bound_api.ts";

const BUNDLE = "0123456789abcdef".repeat(4);

const leaf = (word: string) => word;
const merge = (parts: string[]) => parts.join();
const byUser = (word: string) => word;

function plan(
  script: (mp: ScriptApi) => void,
  options: { widths?: Widths; bundle?: string; app?: string } = {},
): Plan {
  const { mp, topology } = boundApi();
  script(mp);
  return makePlan(topology, { app: "app", bundle: BUNDLE, ...options });
}

/** Paths with their replicas. */
function replicas({ nodes }: Plan): Record<string, number> {
  return Object.fromEntries(nodes.map((node) => [node.path, node.replicas]));
}

function invalid(make: () => Plan, message: string, code = "topology_invalid"): MpError {
  const error = assertThrows(make, MpError, message);
  assertEquals(error.code, code);
  assert(error.next);
  return error;
}

Deno.test("makePlan() makes the plan in nested.json of a shard of scatters", async () => {
  const made = plan((mp) => {
    const svc = mp.service("svc", shard(4, byUser, scatter(3, leaf, merge)));
    svc.expose = true;
  }, { app: "nested" });
  const golden = await Deno.readTextFile(new URL("./nested.json", import.meta.url));
  assertEquals(made, JSON.parse(golden));
});

Deno.test("makePlan() makes JSON that is deeply frozen", () => {
  const env = { A: "1" };
  const made = plan((mp) => {
    mp.service("a", scatter({ replicas: 2, leaf, gather: merge, env, resources: { cpu: 1 } }), {
      expose: { port: 80 },
      replicas: 2,
    });
  });
  assertEquals(JSON.parse(JSON.stringify(made)), made);
  const check = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    assert(Object.isFrozen(value));
    Object.values(value).forEach(check);
  };
  check(made);
  // what belongs to the script is left alone, and no longer matters
  env.A = "2";
  assertEquals(made.nodes[0]!.env, { A: "1" });
});

Deno.test("makePlan() makes equal plans of equal topologies", () => {
  const script = (mp: ScriptApi) => {
    mp.service("a", shard(2, byUser, leaf), { expose: true });
    mp.service("b", spread(3, leaf), { expose: true });
  };
  assertEquals(JSON.stringify(plan(script)), JSON.stringify(plan(script)));
});

Deno.test("makePlan() opens no door when nothing is exposed", () => {
  const made = plan((mp) => mp.service("a", scatter(2, leaf, merge)));
  assertEquals(made.doors, []);
  assertEquals(replicas(made), { "a.gather": 1, "a.scatter": 2 });
  assertEquals(plan(() => {}).nodes, []);
});

Deno.test("makePlan() makes the single replica that is exposed the ingress itself", () => {
  const cases: [(mp: ScriptApi) => void, string, string][] = [
    [(mp) => mp.service("a", leaf, { expose: true }), "a", "a"],
    [(mp) => mp.service("a", scatter(9, leaf, merge), { expose: true }), "a.gather", "a"],
    [(mp) => mp.service("a", spread(9, leaf)).subservices.shard.expose = true, "a.shard", "a"],
    [
      (mp) => mp.service("a", spread(1, leaf)).subservices.compute.expose = true,
      "a.compute",
      "a.compute",
    ],
  ];
  for (const [script, node, method] of cases) {
    const made = plan((mp) => {
      script(mp);
      mp.service("hidden", leaf);
    });
    assertEquals(made.doors, [{ port: null, node, methods: { [method]: node } }]);
    assertFalse(made.nodes.some(({ path }) => path === "ingress"));
  }
});

Deno.test("makePlan() adds the part ingress when several replicas share the door", () => {
  const made = plan((mp) => {
    mp.service("a", leaf, { expose: true, replicas: 3, timeout: 50_000 });
  });
  assertEquals(made.doors, [{ port: null, node: "ingress", methods: { a: "a" } }]);
  assertEquals(replicas(made), { a: 3, ingress: 1 });
  const ingress = made.nodes.at(-1)!;
  assertEquals([ingress.kind, ingress.service, ingress.needs], ["ingress", "ingress", ["a"]]);
  assertEquals([ingress.state, ingress.expose, ingress.timeout], ["none", true, 50_000]);

  const two = plan((mp) => {
    mp.service("a", leaf, { expose: true, timeout: 10 });
    mp.service("b", scatter(2, leaf, merge), { expose: true, timeout: 20 });
    mp.service("c", leaf);
  });
  assertEquals(two.doors, [
    { port: null, node: "ingress", methods: { a: "a", b: "b.gather" } },
  ]);
  assertEquals(two.nodes.at(-1)!.needs, ["a", "b.gather"]);
  assertEquals(two.nodes.at(-1)!.timeout, 20);
});

Deno.test("makePlan() exposes parts under their paths", () => {
  const made = plan((mp) => {
    const svc = mp.service("svc", shard(4, byUser, scatter(3, leaf, merge)), { expose: true });
    svc.subservices.compute.subservices.scatter.expose = true;
  });
  assertEquals(made.doors, [{
    port: null,
    node: "ingress",
    methods: { "svc": "svc.shard", "svc.compute.scatter": "svc.compute.scatter" },
  }]);
});

Deno.test("makePlan() opens a fixed port besides the deployment's own", () => {
  const single = plan((mp) => {
    mp.service("a", scatter(2, leaf, merge), { expose: { port: 8080 } });
  });
  assertEquals(single.doors, [
    { port: null, node: "a.gather", methods: { a: "a.gather" } },
    { port: 8080, node: "a.gather", methods: { a: "a.gather" } },
  ]);
  assertFalse(single.nodes.some(({ path }) => path === "ingress"));

  const many = plan((mp) => {
    mp.service("a", leaf, { expose: { port: 8080 }, replicas: 2 });
  });
  assertEquals(many.doors.map(({ port, node }) => [port, node]), [
    [null, "ingress"],
    [8080, "ingress"],
  ]);
  assertEquals(replicas(many), { a: 2, ingress: 1 });

  const mixed = plan((mp) => {
    mp.service("a", leaf, { expose: { port: 8080 } });
    mp.service("b", leaf, { expose: { port: 8081 }, replicas: 2 });
    mp.service("c", leaf, { expose: true });
  });
  assertEquals(mixed.doors, [
    { port: null, node: "ingress", methods: { a: "a", b: "b", c: "c" } },
    { port: 8080, node: "a", methods: { a: "a" } },
    { port: 8081, node: "ingress", methods: { b: "b" } },
  ]);
});

Deno.test("makePlan() refuses two doors on one port", () => {
  const error = invalid(() =>
    plan((mp) => {
      mp.service("a", leaf, { expose: { port: 8080 } });
      mp.service("b", leaf, { expose: { port: 8080 } });
    }), 'Cannot expose "b" on port 8080: "a" has that port');
  assertEquals(error.next, "Give each exposed subservice a port of its own");
});

Deno.test("makePlan() takes widths instead of the script's numbers", () => {
  const script = (mp: ScriptApi) => {
    mp.service("a", shard(4, byUser, scatter(3, leaf, merge)), { expose: true });
  };
  const made = plan(script, { widths: { "a.shard": 2, "a.compute": 5 } });
  assertEquals(replicas(made), {
    "a.shard": 2,
    "a.compute": 5,
    "a.compute.scatter": 15,
    "ingress": 1,
  });
  assertEquals(made.nodes.map(({ width }) => width), [2, 5, 3, 1]);
  // two routers share the door
  assertEquals(made.doors[0]!.node, "ingress");
  assertEquals(plan(script).doors[0]!.node, "a.shard");
});

Deno.test("makePlan() tells which services are guarded, at their roots", () => {
  const made = plan((mp) => {
    const users = { ada: "engine" };
    mp.service("open", scatter(2, leaf, merge));
    mp.service("known", mp.basicAuth(scatter(2, leaf, merge), { users }));
    mp.service("token", bearerAuth(leaf, { tokens: { "a1": "ci" } }));
  });
  const guards = made.nodes.filter(({ guard }) => guard).map(({ path, guard }) => [path, guard]);
  assertEquals(guards, [
    ["known.gather", { name: "mp.basicAuth()", usersFromOutside: false }],
    ["token", { name: "mp.bearerAuth()", usersFromOutside: false }],
  ]);
});

Deno.test("makePlan() refuses widths of paths that are not there, and wrong ones", () => {
  const script = (mp: ScriptApi) => {
    mp.service("a", scatter(2, leaf, merge));
    mp.service("b", leaf, { replicas: 2, expose: true });
  };
  for (const path of ["a", "a.leaf", "ingress", "", "toString"]) {
    const error = invalid(
      () => plan(script, { widths: { [path]: 3 } }),
      `Cannot set the replicas of "${path}": there is no such path`,
      "usage",
    );
    assertEquals(error.next, "The paths are a.gather, a.scatter, b");
  }
  for (const width of [0, -1, 2.5, NaN, Infinity, 10_001, "3" as unknown as number]) {
    invalid(
      () => plan(script, { widths: { b: width } }),
      `${width} is not a whole number`,
      "usage",
    );
  }
});

Deno.test("makePlan() refuses more than 100,000 replicas in all", () => {
  const error = invalid(
    () => plan((mp) => mp.service("a", spread(10_000, scatter(10_000, leaf, merge)))),
    'Cannot plan "app": 100010001 replicas are more than 100000',
  );
  assert(error.next!.includes('"a.compute.scatter" alone has 100000000'));
  const most = (more: number) => (mp: ScriptApi) => {
    for (let i = 0; i < 10; i++) mp.service(`s${i}`, leaf, { replicas: 10_000 });
    for (let i = 0; i < more; i++) mp.service(`t${i}`, leaf);
  };
  assertEquals(plan(most(0)).nodes.length, 10);
  invalid(() => plan(most(1)), "100001 replicas are more than 100000");
  invalid(
    () =>
      plan((mp) => mp.service("a", spread(2, scatter(2, leaf, merge))), {
        widths: { "a.compute": 1_000, "a.compute.scatter": 1_000 },
      }),
    "1001001 replicas",
  );
});

Deno.test("Plan.revision does not depend on numbers, environment, resources, time limits or exposure", () => {
  const revision = plan((mp) => {
    mp.service("a", shard(4, byUser, scatter(3, leaf, merge)));
    mp.service("b", leaf);
  }).revision;
  fc.assert(
    fc.property(
      fc.record({
        replicas: fc.integer({ min: 1, max: 50 }),
        leaves: fc.integer({ min: 1, max: 50 }),
        routers: fc.integer({ min: 1, max: 50 }),
        env: fc.dictionary(fc.stringMatching(/^[ -<>-~]+$/), fc.string()),
        timeout: fc.integer({ min: 1, max: 1_000 }),
        expose: fc.oneof(fc.boolean(), fc.constant({ port: 80 })),
        resources: fc.record({ cpu: fc.integer({ min: 1 }), memory: fc.integer({ min: 1 }) }),
        app: fc.string(),
      }),
      ({ replicas, leaves, routers, env, timeout, expose, resources, app }) => {
        const made = plan((mp) => {
          const options = { env, timeout, resources };
          const target = scatter({ replicas: leaves, leaf, gather: merge, ...options });
          mp.service("a", shard({ replicas, key: byUser, target, ...options }), {
            replicas: routers,
            expose,
          });
          mp.service("b", leaf, { replicas: routers, ...options });
        }, { app });
        assertEquals(made.revision, revision);
      },
    ),
  );
});

Deno.test("Plan.revision depends on bundle, services, paths, patterns and nesting", () => {
  const scripts: ((mp: ScriptApi) => void)[] = [
    () => {},
    (mp) => mp.service("a", leaf),
    (mp) => mp.service("b", leaf),
    (mp) => {
      mp.service("a", leaf);
      mp.service("b", leaf);
    },
    (mp) => mp.service("a", scatter(2, leaf, merge)),
    (mp) => mp.service("a", spread(2, leaf)),
    (mp) => mp.service("a", shard(2, byUser, leaf)),
    (mp) => mp.service("a", shard(2, byUser, spread(2, leaf))),
    (mp) => mp.service("a", shard(2, byUser, shard(2, byUser, leaf))),
    (mp) => mp.service("a", spread(2, shard(2, byUser, leaf))),
  ];
  const revisions = scripts.map((script) => plan(script).revision);
  assertEquals(new Set(revisions).size, scripts.length);
  for (const revision of revisions) assert(/^[0-9a-f]{24}$/.test(revision), revision);
  for (const script of scripts) {
    assertNotEquals(
      plan(script, { bundle: "f".repeat(64) }).revision,
      plan(script).revision,
    );
  }
});

Deno.test("scalesInPlace() holds when only outermost parts without state have other numbers", () => {
  const from = (mp: ScriptApi) => {
    mp.service("a", spread(3, leaf), { expose: true, replicas: 2 });
    mp.service("b", shard(4, byUser, leaf));
    mp.service("c", leaf);
    mp.service("d", spread(2, spread(2, leaf)));
  };
  const scales = (widths: Widths) => scalesInPlace(plan(from), plan(from, { widths }));
  assert(scales({}));
  assert(scales({ "a.compute": 5 }));
  assert(scales({ "a.compute": 1, "a.shard": 4, "b.shard": 2, "c": 7 }));
  assertFalse(scales({ "b.compute": 5 }), "keys would move");
  // instances own slices of what is under them, so that indices would move
  assertFalse(scales({ "d.compute.compute": 3 }));
  assertFalse(scales({ "d.compute": 3 }));
  assertFalse(scales({ "a.shard": 1 }), "the door moves");
  assertFalse(scalesInPlace(plan(from), plan(from, { bundle: "f".repeat(64) })));
  const other = plan((mp) => mp.service("a", spread(3, leaf), { expose: true, replicas: 2 }));
  assertFalse(scalesInPlace(plan(from), other));
});
