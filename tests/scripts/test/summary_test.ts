import { assertEquals } from "@std/assert";
import { addSummaries, parseSummary, showSummary } from "../../../scripts/test/summary.ts";

Deno.test("parseSummary() reads every form of deno test's closing line", () => {
  const lines = {
    "ok | 3 passed | 0 failed (64ms)": { passed: 3, failed: 0, skipped: 0 },
    "ok | 2 passed (1 step) | 0 failed | 1 ignored (64ms)": { passed: 2, failed: 0, skipped: 1 },
    "FAILED | 12 passed (3 steps) | 2 failed (1 step) | 4 ignored (2 steps) (1s)": {
      passed: 12,
      failed: 2,
      skipped: 4,
    },
    "ok | 1 passed | 0 failed | 3 filtered out (40ms)": { passed: 1, failed: 0, skipped: 0 },
    "ok | 1 passed | 0 failed | 2 ignored | 3 filtered out (40ms)": {
      passed: 1,
      failed: 0,
      skipped: 2,
    },
    "\x1b[0m\x1b[32mok\x1b[0m | 5 passed | 0 failed \x1b[0m\x1b[38;5;245m(4ms)\x1b[0m": {
      passed: 5,
      failed: 0,
      skipped: 0,
    },
  };
  for (const [line, summary] of Object.entries(lines)) assertEquals(parseSummary(line), summary);
});

Deno.test("parseSummary() takes no other line for it", () => {
  for (const line of ["", "a ... ok (3ms)", "FAILED", "  ok | 3 passed | 0 failed"]) {
    assertEquals(parseSummary(line), undefined);
  }
});

Deno.test("showSummary() prints a plain line", () => {
  const sum = addSummaries([
    { passed: 1, failed: 0, skipped: 2 },
    { passed: 3, failed: 1, skipped: 0 },
  ]);
  assertEquals(showSummary(sum), "4 passed, 1 failed, 2 skipped");
});
