import { assertStringIncludes } from "@std/assert";
import { report } from "../../../scripts/bench/report.ts";

Deno.test("report() says which rows are short, with every side and its spread", () => {
  const page = report({
    machine: "a machine",
    rounds: 3,
    growths: [],
    results: [{
      row: "simple",
      title: "simple service",
      unit: "requests/s",
      against: "Hono",
      target: 0.9,
      better: "more",
      ratio: 0.8,
      reached: false,
      notes: ["p99 12 ms"],
      sides: [
        { name: "mp", median: 800, least: 700, most: 900 },
        { name: "Hono", median: 1000, least: 990, most: 1010 },
      ],
    }],
  });
  assertStringIncludes(page, "| simple service<br>p99 12 ms | requests/s | 800 (700 – 900) |");
  assertStringIncludes(page, "Hono: 1,000 (990 – 1,010) | 0.80");
  assertStringIncludes(page, "| ≥ 0.9");
  assertStringIncludes(page, "**short**");
});
