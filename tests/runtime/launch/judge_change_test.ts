import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { scatter } from "../../../patterns/scatter.ts";
import { MpError } from "../../../runtime/errors.ts";
import { checkScale } from "../../../runtime/launch/check_scale.ts";
import { checkUpdate, judgeChange } from "../../../runtime/launch/judge_change.ts";
import type { DeployOrder } from "../../../runtime/launch/launcher.ts";
import { histogramPlan, nestedPlan, planOf } from "../cli/sample_plan.ts";

const door = { host: "127.0.0.1", port: 3000 };

function order(more: Partial<DeployOrder> = {}): DeployOrder {
  return {
    version: "1.0.0",
    driver: "process",
    plan: spread(2),
    bundle: { code: "", map: "", hash: "h", script: "/a.ts" },
    env: { A: "1", B: "2" },
    cwd: "/",
    widths: {},
    ...more,
  };
}

/** Two routers or more over leaves, behind an ingress. */
function spread(routers: number, leaves = 3, timeout?: number) {
  return planOf((api) => {
    const options = { replicas: routers, timeout };
    api.service("s", scatter(leaves, () => 1, () => 2), options).expose = true;
  });
}

const judge = (to: DeployOrder, at = door) =>
  judgeChange({ order: order(), door }, { order: to, door: at });

Deno.test("judgeChange() finds that nothing has changed", () => {
  assertEquals(judge(order()), "unchanged");
  assertEquals(judge(order({ env: { B: "2", A: "1" }, plan: spread(2) })), "unchanged");
});

Deno.test("judgeChange() adds and removes replicas without state in place", () => {
  assertEquals(judge(order({ plan: spread(5) })), "in place");
});

Deno.test("judgeChange() asks for a new tree for everything else", () => {
  const others = {
    "the number of an indexed part": { plan: spread(2, 4) },
    "the door, which one router has itself": { plan: spread(1) },
    "the environment": { env: { A: "2" } },
    "the working folder": { cwd: "/x" },
    "the code": { bundle: { code: "", map: "", hash: "i", script: "/a.ts" } },
    "a timeout": { plan: spread(3, 3, 5) },
    "what is inspected": { inspect: "s.gather" },
  };
  for (const [what, more] of Object.entries(others)) {
    assertEquals(judge(order(more)), "new tree", what);
  }
  assertEquals(judge(order(), { ...door, port: 4000 }), "new tree");
});

Deno.test("checkUpdate() refuses another version, another driver and another app", () => {
  const messages = [{ version: "2.0.0" }, { driver: "docker" }, { plan: histogramPlan }].map(
    (more) => {
      const error = assertThrows(() => checkUpdate(order(), order(more)));
      assertInstanceOf(error, MpError);
      return error.message;
    },
  );
  assertEquals(messages, [
    'Cannot update "sample": it runs with mp 1.0.0, not mp 2.0.0',
    'Cannot update "sample": it runs with driver process, not driver docker',
    'Cannot update "sample": the script now makes the app "histogram"',
  ]);
  checkUpdate(order(), order());
});

Deno.test("checkScale() lets keys move only when that is meant", () => {
  const scaling = { path: "nested.compute", replicas: 8 };
  const error = assertThrows(() => checkScale(nestedPlan, { ...scaling, rehash: false }));
  assertInstanceOf(error, MpError);
  assertEquals(error.next, "Add --rehash if that is meant");
  checkScale(nestedPlan, { ...scaling, rehash: true });
  checkScale(nestedPlan, { path: "nested.compute.scatter", replicas: 2, rehash: false });
});

Deno.test("checkScale() names the paths there are", () => {
  const error = assertThrows(() =>
    checkScale(histogramPlan, { path: "histogram.scater", replicas: 2, rehash: false })
  );
  assertInstanceOf(error, MpError);
  assertEquals(
    error.message,
    'Cannot scale "histogram.scater" of "histogram": there is no such path',
  );
  assertEquals(error.next, "The paths are histogram.gather, histogram.scatter");
});

Deno.test("checkScale() leaves the ingress alone", () => {
  const error = assertThrows(() =>
    checkScale(spread(2), { path: "ingress", replicas: 2, rehash: false })
  );
  assertInstanceOf(error, MpError);
  assertEquals(error.message, 'Cannot scale "ingress" of "sample": its number is fixed');
});
