import { assertEquals } from "@std/assert";
import { findReplicas, replicaLabel } from "../../../runtime/plan/replica_labels.ts";
import { histogramPlan, nestedPlan } from "../cli/sample_plan.ts";

Deno.test("replicaLabel() shows the index among the siblings", () => {
  assertEquals(
    replicaLabel(histogramPlan, { path: "histogram.scatter", index: 3 }),
    "histogram.scatter[3]",
  );
  assertEquals(replicaLabel(histogramPlan, { path: "gone", index: 1 }), "gone[1]");
});

Deno.test("replicaLabel() shows the index of every instance above", () => {
  const label = (path: string, index: number) => replicaLabel(nestedPlan, { path, index });
  assertEquals(label("nested.compute", 2), "nested.compute[2]");
  assertEquals(label("nested.compute.scatter", 5), "nested.compute[1].scatter[2]");
  assertEquals(label("nested.compute.scatter", 11), "nested.compute[3].scatter[2]");
});

Deno.test("findReplicas() reads every label back", () => {
  for (const plan of [histogramPlan, nestedPlan]) {
    for (const { path, replicas } of plan.nodes) {
      for (let index = 0; index < replicas; index++) {
        assertEquals(findReplicas(plan, replicaLabel(plan, { path, index })), [{ path, index }]);
        assertEquals(findReplicas(plan, `${path}.${index}`), [{ path, index }]);
      }
    }
  }
});

Deno.test("findReplicas() finds all replicas of a path, and of a service", () => {
  assertEquals(findReplicas(histogramPlan, "histogram.scatter").length, 10);
  assertEquals(findReplicas(histogramPlan, "histogram").length, 11);
  assertEquals(findReplicas(nestedPlan, "nested.compute").length, 4);
});

Deno.test("findReplicas() finds nothing for what is not there", () => {
  for (
    const name of [
      "histogram.scatter.10",
      "histogram.scatter[10]",
      "histogram.scater",
      "",
      "histogram[0]",
      "histogram.scatter.x",
    ]
  ) {
    assertEquals(findReplicas(histogramPlan, name), [], name);
  }
  assertEquals(findReplicas(nestedPlan, "nested.compute[1].scatter[3]"), []);
  assertEquals(findReplicas(nestedPlan, "nested.compute[4].scatter[0]"), []);
});
