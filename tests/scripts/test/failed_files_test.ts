import { assertEquals } from "@std/assert";
import { FailedFiles } from "../../../scripts/test/failed_files.ts";

Deno.test("FailedFiles reads the list with which deno test closes, and nothing before it", () => {
  const failed = new FailedFiles();
  for (
    const line of [
      "this is said => ./tests/no_test.ts:1:2",
      "\x1b[1m\x1b[37m\x1b[41m FAILURES \x1b[0m",
      "",
      "a() does => b when \x1b[38;5;245m=> ./tests/a_test.ts:147:6\x1b[0m",
      "a() does more => ./tests/a_test.ts:150:6",
      "\x1b[90m./tests/e2e/b_test.ts\x1b[0m (uncaught error)",
      "FAILED | 1 passed | 3 failed (1s)",
    ]
  ) failed.read(line);
  assertEquals([...failed.files], ["tests/a_test.ts", "tests/e2e/b_test.ts"]);
});
