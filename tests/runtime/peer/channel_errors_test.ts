import { assertEquals } from "@std/assert";
import { late } from "../../../runtime/peer/channel_errors.ts";

Deno.test("late() tells how long it was waited, without what the way took", () => {
  const cases: [timeout: number, shown: string][] = [
    [1000, "1 s"],
    [993, "1 s"],
    [29_900, "30 s"],
    [2500, "2.5 s"],
    [187.4, "0.187 s"],
    [125_000, "125 s"],
    [60_000, "60 s"],
  ];
  for (const [timeout, shown] of cases) {
    assertEquals(
      late("a.b.0", timeout, false).message,
      `Cannot call a.b.0: no answer within ${shown}`,
    );
  }
});
