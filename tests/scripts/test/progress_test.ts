import { assertEquals } from "@std/assert";
import { Progress } from "../../../scripts/test/progress.ts";

function after(lines: readonly string[]): Progress {
  const progress = new Progress();
  for (const line of lines) progress.read(line);
  return progress;
}

Deno.test("Progress counts what the files before the last one came to", () => {
  const progress = after([
    "running 3 tests from ./tests/a_test.ts",
    "one ... \x1b[32mok\x1b[0m (3ms)",
    "two ...",
    "  a step ... ok (1ms)",
    "two ... FAILED (4ms)",
    "three ... ignored (0ms)",
    "running 2 tests from ./tests/b_test.ts",
    "four ... ok (1ms)",
  ]);
  assertEquals(progress.before, { passed: 1, failed: 1, skipped: 1 });
  assertEquals(progress.files, ["tests/a_test.ts", "tests/b_test.ts"]);
  assertEquals(progress.place, 'in tests/b_test.ts, after "four"');
});

Deno.test("Progress knows nothing of tests that run side by side", () => {
  const progress = after(["./tests/a_test.ts => one ... ok (3ms)"]);
  assertEquals(progress.files, []);
  assertEquals(progress.before, { passed: 0, failed: 0, skipped: 0 });
  assertEquals(progress.place, "before the first test");
});
