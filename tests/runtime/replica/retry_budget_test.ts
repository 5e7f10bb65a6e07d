import { assertEquals } from "@std/assert";
import { RetryBudget } from "../../../runtime/replica/retry_budget.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

/** How many repetitions are allowed at once. */
function drain(budget: RetryBudget): number {
  let count = 0;
  while (budget.withdraw()) count++;
  return count;
}

Deno.test("RetryBudget allows one repetition for five calls", () => {
  using _clock = new VirtualClock();
  const budget = new RetryBudget();
  drain(budget);
  for (let i = 0; i < 50; i++) budget.deposit();
  assertEquals(drain(budget), 10);
});

Deno.test("RetryBudget allows ten a second for parts that are called seldom, and saves no more of them", () => {
  using clock = new VirtualClock();
  const budget = new RetryBudget();
  assertEquals(drain(budget), 10);
  clock.block(500);
  assertEquals(drain(budget), 5);
  clock.block(3_600_000);
  assertEquals(drain(budget), 10);
});

Deno.test("RetryBudget saves a hundred, however many calls there were", () => {
  using _clock = new VirtualClock();
  const budget = new RetryBudget();
  for (let i = 0; i < 100_000; i++) budget.deposit();
  assertEquals(drain(budget), 100);
});
