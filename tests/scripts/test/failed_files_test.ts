import { assertEquals } from "@std/assert";
import { FailedFiles } from "../../../scripts/test/failed_files.ts";

function read(...lines: string[]): FailedFiles {
  const failed = new FailedFiles();
  for (const line of lines) failed.read(line);
  return failed;
}

Deno.test("FailedFiles names the files whose tests failed, wherever these are defined", () => {
  const { files, titles } = read(
    "running 2 tests from ./tests/a_test.ts",
    "a() does => b ... ok (1ms)",
    "this is said => ./tests/no_test.ts:1:2",
    "running 1 test from ./tests/b_test.ts",
    "  a step ... FAILED (1ms)",
    "b() does \x1b[38;5;245m...\x1b[0m \x1b[31mFAILED\x1b[0m (due to 1 failed step) (2ms)",
    "running 1 test from ./tests/c_test.ts",
    "c() does ... ok (1ms)",
    "\x1b[1m\x1b[37m\x1b[41m FAILURES \x1b[0m",
    "",
    "b() does \x1b[38;5;245m=> ./tests/support/needs.ts:30:42\x1b[0m",
    "\x1b[90m./tests/e2e/d_test.ts\x1b[0m (uncaught error)",
    "FAILED | 1 passed | 2 failed (1s)",
  );
  assertEquals([...files], ["tests/b_test.ts", "tests/e2e/d_test.ts"]);
  assertEquals(titles, [
    "b() does => ./tests/support/needs.ts:30:42",
    "./tests/e2e/d_test.ts (uncaught error)",
  ]);
});

Deno.test("FailedFiles names the files of tests that run side by side", () => {
  const { files } = read(
    "./tests/a_test.ts => a() does ... ok (1ms)",
    "./tests/b_test.ts => b() does => c ... FAILED (1ms)",
    "./tests/a_test.ts => a() does more ... FAILED (1ms)",
    "FAILED | 1 passed | 2 failed (1s)",
  );
  assertEquals([...files], ["tests/b_test.ts", "tests/a_test.ts"]);
});
