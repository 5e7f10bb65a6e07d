import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join, toFileUrl } from "@std/path";
import { checkGraph } from "../../scripts/check_graph.ts";

/** What the check says of a small tree, whose other files are those of a good one. */
async function check(files: Record<string, string>): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "mp-graph-" });
  const good = {
    "deno.json": `{ "imports": { "esbuild": "./esbuild.js", "prom-client": "./prom.js" } }`,
    "esbuild.js": "",
    "prom.js": "",
    "replica.ts": `import "./runtime/replica/main.ts";`,
    "runtime/replica/main.ts": `import { plan } from "../plan/make_plan.ts"; plan();`,
    "runtime/plan/make_plan.ts": `export const plan = () => {};`,
    "runtime/launch/driver.ts": `export interface Driver { name: string } export const a = 1;`,
    "runtime/script/bundle.ts": `import "esbuild";`,
    "runtime/cli/run.ts": "",
    "drivers/process/driver.ts": "",
  };
  try {
    for (const [path, text] of Object.entries({ ...good, ...files })) {
      const file = join(folder, path);
      await Deno.mkdir(dirname(file), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
    return await checkGraph(toFileUrl(`${folder}/`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function assertRefuses(source: string, wrong: string) {
  const problems = await check({ "runtime/plan/make_plan.ts": `${source} export const plan = 1;` });
  assertEquals(problems.length, 1, `${source} gave ${JSON.stringify(problems)}`);
  assertStringIncludes(problems[0]!, wrong);
}

Deno.test("checkGraph() accepts a tree whose halves are apart", async () => {
  assertEquals(await check({}), []);
});

Deno.test("checkGraph() refuses what the serving half must not load, and shows the way to it", async () => {
  await assertRefuses(
    `import "../launch/driver.ts";`,
    "must not load runtime/launch/driver.ts: a replica launches nothing",
  );
  await assertRefuses(
    `import "../cli/run.ts";`,
    "(replica.ts → runtime/replica/main.ts → runtime/plan/make_plan.ts → runtime/cli/run.ts)",
  );
  await assertRefuses(`import "esbuild";`, "must not load esbuild");
  await assertRefuses(`export * from "../script/bundle.ts";`, "runtime/script/bundle.ts");
  await assertRefuses(`import "../../drivers/process/driver.ts";`, "drivers/process/driver.ts");
});

Deno.test("checkGraph() refuses what the serving half would load later, too", async () => {
  await assertRefuses(`await import("../cli/run.ts");`, "must not load runtime/cli/run.ts");
});

Deno.test("checkGraph() accepts types of the launching half", async () => {
  const source =
    `import type { Driver } from "../launch/driver.ts"; export const plan = (d: Driver) => d;`;
  assertEquals(await check({ "runtime/plan/make_plan.ts": source }), []);
});

Deno.test("checkGraph() refuses prom-client at the start, and accepts it later", async () => {
  await assertRefuses(`import "prom-client";`, "must not load at its start prom-client");
  const source = `export const plan = () => import("prom-client");`;
  assertEquals(await check({ "runtime/plan/make_plan.ts": source }), []);
});

Deno.test("checkGraph() names a file that is not there", async () => {
  await assertRefuses(`import "./nothing.ts";`, "Cannot read the graph: Module not found");
});
