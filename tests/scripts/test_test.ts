import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const root = new URL("../../", import.meta.url);

async function runTests(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/test.ts", ...args],
    cwd: root,
    env: { INIT_CWD: "" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("scripts/test.ts closes with a plain line", async () => {
  const { code, out } = await runTests("tests/scripts/test/summary_test.ts");
  assertMatch(out, /\n[1-9]\d* passed, 0 failed, 0 skipped\n$/);
  assertEquals(code, 0);
});

Deno.test("scripts/test.ts hands options to deno test", async () => {
  const { out } = await runTests("--filter", "showSummary", "tests/scripts/test/summary_test.ts");
  assertMatch(out, /\n1 passed, 0 failed, 0 skipped\n$/);
});

Deno.test("scripts/test.ts fails when no test ran", async () => {
  const { code, out } = await runTests("--filter=nothing", "tests/scripts/test/summary_test.ts");
  assertStringIncludes(out, "No test ran\n0 passed, 0 failed, 0 skipped\n");
  assertEquals(code, 1);
});

Deno.test("scripts/test.ts refuses files that are not there, or hold no tests", async () => {
  const nothing = await runTests("tests/nothing");
  assertEquals(nothing.code, 2);
  assertStringIncludes(nothing.err, "there is no such file or folder");
  const none = await runTests("std");
  assertEquals(none.code, 2);
  assertStringIncludes(none.err, "there are none in what was named");
});
