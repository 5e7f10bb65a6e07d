import { assertEquals, assertStringIncludes } from "@std/assert";
import { plot } from "../../../scripts/bench/growth/plot.ts";

const growth = {
  name: "callers",
  title: "calls <fast>",
  size: "callers",
  figures: [{ name: "throughput", unit: "requests/s" }],
  points: [{ size: 1, values: [10] }, { size: 10, values: [100] }, { size: 100, values: [1000] }],
};

Deno.test("plot() draws what grows in proportion as a straight line", () => {
  const svg = plot(growth);
  const [, line] = /<polyline points="([^"]+)"/.exec(svg)!;
  const [a, b, c] = line!.split(" ").map((place) => place.split(",").map(Number));
  assertEquals(b![0]! - a![0]!, c![0]! - b![0]!);
  assertEquals(Math.round(a![1]! - b![1]!), Math.round(b![1]! - c![1]!));
});

Deno.test("plot() escapes what is text", () => {
  assertStringIncludes(plot(growth), "<title>calls &lt;fast&gt;</title>");
});
