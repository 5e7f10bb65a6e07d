// `mp test`, beside `deno test` on the same files.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { mpSandbox, type Sandbox } from "../support/mp.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const fixture = join(root, "tests/fixtures/run_tests/mixed_test.ts");

/** What JUnit's XML says of each test: its name, and whether it passed, failed or was skipped. */
function resultsOf(xml: string): string[] {
  const cases = xml.matchAll(/<testcase name="([^"]*)"[^>]*>(.*?)<\/testcase>/gs);
  return Array.from(cases, ([, name, inside]) => {
    const status = inside!.includes("<failure")
      ? "failed"
      : inside!.includes("<skipped")
      ? "skipped"
      : "ok";
    return `${name!.replaceAll("&#10;", "\\n")}: ${status}`;
  }).sort();
}

async function byDeno(sandbox: Sandbox, files: readonly string[]): Promise<string[]> {
  const xml = join(sandbox.folder, "deno.xml");
  await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "-A", "--unstable-net", "--no-check", "--quiet"],
      ...[`--config=${join(root, "deno.json")}`, `--junit-path=${xml}`, ...files],
    ],
    cwd: root,
  }).output();
  return resultsOf(await Deno.readTextFile(xml));
}

async function byMp(sandbox: Sandbox, files: readonly string[]) {
  const xml = join(sandbox.folder, "mp.xml");
  const ended = await sandbox.run(["test", "--junit-path", xml, ...files], { cwd: root });
  return { ...ended, results: resultsOf(await Deno.readTextFile(xml)) };
}

Deno.test("mp test comes to the same results as deno test, test by test and step by step", async () => {
  await using sandbox = await mpSandbox();
  const { results, code, stdout } = await byMp(sandbox, [fixture]);
  assertEquals(results, await byDeno(sandbox, [fixture]), stdout);
  assert(results.length > 20);
  assertEquals(code, 1);
  assertMatch(stdout, /FAILED \| \d+ passed \(4 steps\) \| 6 failed \(2 steps\)/);
  assertStringIncludes(stdout, "throws => ./tests/fixtures/run_tests/mixed_test.ts:29:6");
  assertMatch(stdout, /TypeError: on purpose\n +at .*mixed_test\.ts:30:9/);
});

Deno.test("mp test runs tests of topologies as deno test does", async () => {
  await using sandbox = await mpSandbox();
  const files = [join(root, "examples/bank/bank_test.ts")];
  const { results, code, stdout, stderr } = await byMp(sandbox, files);
  assertEquals(code, 0, stdout + stderr);
  assertEquals(results, await byDeno(sandbox, files));
  assert(results.every((result) => result.endsWith(": ok")));
});

Deno.test("mp test finds test files, and runs those that are asked for", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write("a_test.ts", 'Deno.test("one", () => {});\nDeno.test("two", () => {});');
  await sandbox.write("inside/b.test.js", 'Deno.test("three", () => {});');
  await sandbox.write("inside/tested.ts", 'Deno.test("not a test file", () => {});');
  await sandbox.write("node_modules/p/c_test.ts", 'throw new Error("not ours");');
  const all = await sandbox.run(["test"]);
  assertEquals(all.code, 0, all.stderr);
  assertStringIncludes(all.stdout, "running 2 tests from ./a_test.ts");
  assertStringIncludes(all.stdout, "ok | 3 passed | 0 failed");
  const some = await sandbox.run(["test", "--filter", "/^t/", "--json"]);
  assertEquals(JSON.parse(some.stdout).passed, 2);
  assertEquals(JSON.parse(some.stdout).filteredOut, 1);
  const named = await sandbox.run(["test", "inside/tested.ts"]);
  assertStringIncludes(named.stdout, "not a test file ... ok");
});

Deno.test("mp test gives each file module state and services of its own", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write(
    "topology.ts",
    `import * as mp from "@metaparticle/mp";
export let asked = 0;
export const ask = () => ++asked;
mp.service("ask", ask, { expose: true });
mp.serve();`,
  );
  for (const name of ["a", "b"]) {
    await sandbox.write(
      `${name}_test.ts`,
      `import { assertEquals } from "jsr:@std/assert@1";
import { start } from "@metaparticle/mp/testing";
import { ask } from "./topology.ts";
Deno.test("a handler is a function", () => assertEquals(ask(), 1));
Deno.test("the whole topology", async () => {
  await using app = await start(import.meta.resolve("./topology.ts"));
  assertEquals(await app.call("ask"), 1);
});`,
    );
  }
  const { code, stdout, stderr } = await sandbox.run(["test"]);
  assertEquals(code, 0, stdout + stderr);
  assertStringIncludes(stdout, "ok | 4 passed | 0 failed");
});

Deno.test("mp test passes the tests of a new project", async () => {
  await using sandbox = await mpSandbox();
  assertEquals((await sandbox.run(["init", "shop"])).code, 0);
  const { code, stdout, stderr } = await sandbox.run(["test"], {
    cwd: join(sandbox.folder, "shop"),
  });
  assertEquals(code, 0, stdout + stderr);
  assertMatch(stdout, /ok \| \d+ passed \| 0 failed/);
});

Deno.test("mp test fails when no test ran, and when only was used", async () => {
  await using sandbox = await mpSandbox();
  const none = await sandbox.run(["test"]);
  assertEquals(none.code, 1);
  assertStringIncludes(none.stderr, "no test ran, for there is no test file in .");
  await sandbox.write("empty_test.ts", "export {};");
  const empty = await sandbox.run(["test"]);
  assertEquals(empty.code, 1);
  assertStringIncludes(empty.stderr, "no test ran, for ./empty_test.ts defines none");
  await sandbox.write("empty_test.ts", 'Deno.test("a", () => {}); Deno.test.only("b", () => {});');
  const only = await sandbox.run(["test"]);
  assertEquals(only.code, 1);
  assertStringIncludes(only.stdout, "1 passed");
  assertStringIncludes(only.stderr, '"only" was used');
  const filtered = await sandbox.run(["test", "--filter", "nothing of that name"]);
  assertEquals(filtered.code, 1);
  assertStringIncludes(filtered.stderr, "--filter left out all 2");
  assertStringIncludes(filtered.stderr, "→ Give some of a test's name, or leave --filter out");
  const absent = await sandbox.run(["test", "absent_test.ts"]);
  assertEquals(absent.code, 2);
  const wrong = await sandbox.run(["test", "--filter", "/(/"]);
  assertEquals(wrong.code, 2);
});

Deno.test("mp test tells of what goes wrong outside of tests", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write("top_test.ts", 'throw new Error("at the top");');
  const top = await sandbox.run(["test"]);
  assertEquals(top.code, 1);
  assertStringIncludes(top.stdout, "./top_test.ts (uncaught error)");
  assertMatch(top.stdout, /Error: at the top\n +at .*top_test\.ts:1:7/);
  await sandbox.write(
    "top_test.ts",
    `Deno.test("floats", async () => {
  Promise.reject(new Error("floating"));
  await new Promise((resolve) => setTimeout(resolve, 50));
});
Deno.test("is not run", () => {});`,
  );
  const floating = await sandbox.run(["test"]);
  assertEquals(floating.code, 1);
  assertStringIncludes(floating.stdout, "0 passed | 3 failed");
  await sandbox.write("top_test.ts", 'import { x } from "./absent.ts";\nDeno.test("a", () => x);');
  const broken = await sandbox.run(["test"]);
  assertEquals(broken.code, 1);
  assertStringIncludes(broken.stdout, 'Cannot resolve "./absent.ts"');
});

Deno.test("mp test stops after the first failure when told to, and tests may not end the process", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write(
    "exit_test.ts",
    'Deno.test("exits", () => Deno.exit(0));\nDeno.test("next", () => {});',
  );
  const fast = await sandbox.run(["test", "--fail-fast"]);
  assertEquals(fast.code, 1);
  assertStringIncludes(fast.stdout, "attempted to exit with exit code: 0");
  assertStringIncludes(fast.stdout, "0 passed | 1 failed");
  assertStringIncludes((await sandbox.run(["test"])).stdout, "1 passed | 1 failed");
});
