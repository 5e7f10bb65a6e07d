import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { runFiles } from "../../../scripts/test/run_files.ts";
import { ENDS_IT } from "./ends_it.ts";

async function run(sources: Record<string, string>) {
  const cwd = await Deno.makeTempDir({ prefix: "mp-files-" });
  try {
    for (const [name, source] of Object.entries(sources)) {
      await Deno.writeTextFile(join(cwd, name), source);
    }
    const { signal } = new AbortController();
    const flags = ["--no-config", "-A", "--no-check"];
    return await runFiles(flags, Object.keys(sources), { cwd, signal, print: () => {} });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

const PASSES = `Deno.test("passes", () => {}); Deno.test("passes too", () => {});`;
const ENDS = `Deno.test("passes", () => {});
${ENDS_IT}`;

Deno.test("runFiles() goes on after files that end deno test, each of which has failed", async () => {
  const { passed, failed, failedFiles, broken, complaints } = await run({
    "a_test.ts": PASSES,
    "b_test.ts": ENDS,
    "c_test.ts": ENDS,
    "d_test.ts": PASSES,
  });
  assertEquals({ passed, failed, failedFiles, broken }, {
    passed: 4,
    failed: 2,
    failedFiles: [],
    broken: 2,
  });
  assertEquals(complaints.length, 2);
});

Deno.test("runFiles() counts once what could not even begin", async () => {
  const { passed, failed, broken } = await run({ "a_test.ts": "this is no code" });
  assertEquals({ passed, failed, broken }, { passed: 0, failed: 1, broken: 0 });
});
