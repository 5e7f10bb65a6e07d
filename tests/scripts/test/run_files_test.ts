import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { runFiles } from "../../../scripts/test/run_files.ts";

async function run(sources: Record<string, string>, { again = false } = {}) {
  const cwd = await Deno.makeTempDir({ prefix: "mp-files-" });
  try {
    for (const [name, source] of Object.entries(sources)) {
      await Deno.writeTextFile(join(cwd, name), source);
    }
    const { signal } = new AbortController();
    const flags = ["--no-config", "-A", "--no-check"];
    return await runFiles(flags, Object.keys(sources), { cwd, signal, print: () => {}, again });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

const PASSES = `Deno.test("passes", () => {}); Deno.test("passes too", () => {});`;
const ENDS = `Deno.test("passes", () => {});
Deno.test("ends it", () => process.kill(process.pid, "SIGKILL"));`;

Deno.test("runFiles() goes on after a file that ends deno test", async () => {
  const result = await run({ "a_test.ts": PASSES, "b_test.ts": ENDS, "c_test.ts": PASSES });
  const { passed, failed, failedFiles, flaky, complaints } = result;
  assertEquals({ passed, failed, failedFiles, flaky }, {
    passed: 4,
    failed: 1,
    failedFiles: ["b_test.ts"],
    flaky: [],
  });
  assertEquals(complaints.length, 1);
});

Deno.test("runFiles() fails a file that ends deno test again", async () => {
  const result = await run({ "a_test.ts": ENDS, "b_test.ts": PASSES }, { again: true });
  const { passed, failed, failedFiles, flaky, complaints } = result;
  assertEquals({ passed, failed, failedFiles, flaky }, {
    passed: 2,
    failed: 1,
    failedFiles: ["a_test.ts"],
    flaky: [],
  });
  assertEquals(complaints.length, 2);
});

Deno.test("runFiles() counts once what could not even begin", async () => {
  const { passed, failed, failedFiles } = await run({ "a_test.ts": "this is no code" });
  assertEquals({ passed, failed, failedFiles }, {
    passed: 0,
    failed: 1,
    failedFiles: [],
  });
});
