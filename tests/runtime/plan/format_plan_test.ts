import { assertEquals } from "@std/assert";
import { formatPlan } from "../../../runtime/plan/format_plan.ts";
import { histogramPlan, nestedPlan, planOf } from "../cli/sample_plan.ts";

const shown = (text: string) => text.replace(/revision \w{24}/, "revision …");

Deno.test("formatPlan() shows a router over its leaves", () => {
  assertEquals(
    shown(formatPlan(histogramPlan)),
    `histogram  11 replicas, revision …
└─ histogram.gather       1  scatter  exposed as histogram
   └─ histogram.scatter  10  handler  indexed`,
  );
});

Deno.test("formatPlan() shows what nests, and how many belong to each instance", () => {
  assertEquals(
    shown(formatPlan(nestedPlan)),
    `nested  17 replicas, revision …
└─ nested.shard                  1  shard    exposed as nested
   └─ nested.compute             4  scatter  keyed
      └─ nested.compute.scatter  12  handler  indexed, 3 for each instance above`
      .replace("nested.shard                  1", "nested.shard                   1")
      .replace("nested.compute             4", "nested.compute              4"),
  );
});

Deno.test("formatPlan() shows the ingress beside what it spreads over, and fixed ports", () => {
  const plan = planOf((api) => {
    api.service("one", () => 1).expose = true;
    api.service("two", () => 2, { replicas: 2, resources: { cpu: 0.5 } }).expose = { port: 4000 };
    api.service("inner", () => 3);
  });
  assertEquals(
    shown(formatPlan(plan)),
    `sample  5 replicas, revision …
├─ one      1  handler  exposed as one
├─ two      2  handler  exposed as two, exposed as two on port 4000, cpu 0.5
├─ inner    1  handler
└─ ingress  1  ingress  exposed for one, two, exposed on port 4000 for two`,
  );
});

Deno.test("formatPlan() shows who is asked who calls", () => {
  const plan = planOf((api) => {
    api.service("one", api.basicAuth(() => 1, { users: { ada: "engine" } })).expose = true;
  });
  assertEquals(
    shown(formatPlan(plan)),
    `sample  1 replica, revision …
└─ one  1  handler  exposed as one, guarded by mp.basicAuth()`,
  );
});

Deno.test("formatPlan() marks what it is told to mark", () => {
  const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
  const text = formatPlan(histogramPlan, {
    bold: mark("b"),
    dim: mark("d"),
    cyan: mark("c"),
    green: mark("g"),
  });
  assertEquals(text.includes("<b>histogram</b>  11 replicas"), true);
  assertEquals(text.includes("<g>exposed as histogram</g>"), true);
});
