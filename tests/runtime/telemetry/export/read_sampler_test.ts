import { assertEquals } from "@std/assert";
import { readSampler } from "../../../../runtime/telemetry/export/read_sampler.ts";

Deno.test("readSampler() reads the names that OpenTelemetry has", () => {
  const read = (name?: string, argument?: string) =>
    String(
      readSampler((variable) =>
        ({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument })[variable]
      ),
    );
  assertEquals(read("always_off"), "AlwaysOffSampler");
  assertEquals(read("always_on"), "AlwaysOnSampler");
  assertEquals(read("traceidratio", "0.25"), "TraceIdRatioBased{0.25}");
  assertEquals(read("traceidratio", "much"), "TraceIdRatioBased{1}");
  for (const unsaid of [undefined, "parentbased_always_on", "unheard of"]) {
    assertEquals(read(unsaid).includes("AlwaysOnSampler"), true, unsaid);
  }
  assertEquals(
    read("parentbased_traceidratio", "0.5").startsWith(
      "ParentBased{root=TraceIdRatioBased{0.5}, remoteParentSampled=AlwaysOnSampler",
    ),
    true,
  );
});
