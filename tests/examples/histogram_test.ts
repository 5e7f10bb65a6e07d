import { assert, assertEquals, assertGreater } from "@std/assert";
import { histogram, leaf } from "../../examples/histogram.ts";
import { deploy, ROOT } from "./deployed.ts";
import { mp } from "../support/mp.ts";

const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);

/** Ten counts that add up to 1000, most of them in the middle. */
function assertHistogram(counts: number[]) {
  assertEquals(counts.length, 10);
  assertEquals(sum(counts), 1000);
  assert(counts.every((count) => Number.isInteger(count) && count >= 0), counts.join());
  // nearly all of a normal distribution is within three standard deviations: 25 to 175
  assertGreater(sum(counts.slice(1, 9)), 980);
  assertGreater(sum(counts.slice(3, 7)), 700);
}

Deno.test("leaf() draws a hundred numbers around 100", () => {
  const { n } = leaf();
  assertEquals(n.length, 100);
  assert(n.every(Number.isFinite));
  const mean = sum(n) / 100;
  // five standard errors
  assert(mean > 87.5 && mean < 112.5, `${mean}`);
});

Deno.test("histogram() counts by twenties, and what lies beyond in the last bins", () => {
  assertEquals(histogram([{ n: [0, 19.9, 20, 100] }, { n: [199] }]), [
    ...[2, 1, 0, 0, 0],
    ...[1, 0, 0, 0, 1],
  ]);
  assertEquals(histogram([{ n: [-3, -1e9, 200, 1e9] }]), [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
  assertEquals(histogram([]), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("examples/histogram.ts asks ten leaves", async () => {
  await using deployed = await deploy("examples/histogram.ts");
  const first = await deployed.client("histogram-service") as number[];
  assertHistogram(first);
  const others = await Promise.all(
    Array.from({ length: 20 }, () => deployed.call("histogram-service")),
  );
  for (const counts of others) assertHistogram(counts as number[]);
  // each is drawn anew
  assertGreater(new Set([first, ...others].map(String)).size, 15);
});

Deno.test("examples/histogram.ts is eleven replicas", async () => {
  const { code, stdout, stderr } = await mp(["plan", `${ROOT}examples/histogram.ts`, "--json"]);
  assertEquals(code, 0, stderr);
  const { app, nodes } = JSON.parse(stdout);
  assertEquals(app, "histogram");
  assertEquals(
    nodes.map(({ path, replicas }: { path: string; replicas: number }) => [path, replicas]),
    [["histogram-service.gather", 1], ["histogram-service.scatter", 10]],
  );
});
