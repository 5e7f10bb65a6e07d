import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { runGroup } from "../../../scripts/test/run_group.ts";
import { ENDS_IT } from "./ends_it.ts";

/** Runs one file of tests; says what was counted and printed. */
async function run(
  source: string,
  { silence, abort, check = false }: { silence?: number; abort?: string; check?: boolean } = {},
) {
  const cwd = await Deno.makeTempDir({ prefix: "mp-group-" });
  const controller = new AbortController();
  const lines: string[] = [];
  try {
    await Deno.writeTextFile(join(cwd, "a_test.ts"), source);
    const summary = await runGroup([
      "--no-config",
      "-A",
      ...check ? [] : ["--no-check"],
      "a_test.ts",
    ], {
      cwd,
      signal: controller.signal,
      print(line) {
        lines.push(line);
        if (abort !== undefined && line.includes(abort)) controller.abort();
      },
      silence,
    });
    const { passed, failed, skipped } = summary;
    return { summary: { passed, failed, skipped }, result: summary, text: lines.join("\n") };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

const HANGS = `Deno.test("hangs", async () => {
  const timer = setInterval(() => {}, 1000);
  console.log("hanging");
  await new Promise(() => timer);
});`;

Deno.test("runGroup() counts what passed, failed and was skipped", async () => {
  const { summary } = await run(`
    Deno.test("passes", () => {});
    Deno.test("passes too", () => {});
    Deno.test.ignore("is skipped", () => {});
    Deno.test("fails", () => { throw new Error("on purpose"); });`);
  assertEquals(summary, { passed: 2, failed: 1, skipped: 1 });
});

Deno.test("runGroup() counts a failure when nothing could run", async () => {
  const { summary, text } = await run(`const a: number = "a"; Deno.test("passes", () => {});`, {
    check: true,
  });
  assertEquals(summary, { passed: 0, failed: 1, skipped: 0 });
  assertStringIncludes(text, "TS2322");
  assertStringIncludes(text, "Cannot run all tests");
});

Deno.test("runGroup() ends tests that hang", async () => {
  const { summary, text } = await run(HANGS, { silence: 1_500 });
  assertEquals(summary, { passed: 0, failed: 1, skipped: 0 });
  assertStringIncludes(text, "no test ended for 1.5 s, at the first test of a_test.ts");
});

Deno.test("runGroup() stops when its signal aborts", async () => {
  const { summary } = await run(HANGS, { abort: "hanging" });
  assertEquals(summary.passed, 0);
});

Deno.test("runGroup() says in which file deno test ended, and after which test", async () => {
  const { summary, result, text } = await run(`
    Deno.test("passes", () => {});
    ${ENDS_IT}`);
  assertEquals(summary, { passed: 0, failed: 1, skipped: 0 });
  assertEquals(result.brokenOff, ["a_test.ts"]);
  const complaint =
    'Cannot run all tests: deno test ended with SIGKILL, in a_test.ts, after "passes"';
  assertStringIncludes(text, complaint);
  assertEquals(result.complaints, [complaint]);
});
