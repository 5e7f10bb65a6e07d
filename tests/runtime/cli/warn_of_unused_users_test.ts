import { assertEquals } from "@std/assert";
import { warnOfUnusedUsers } from "../../../runtime/cli/warn_of_unused_users.ts";
import type { Plan, PlanGuard } from "../../../runtime/plan/plan.ts";
import { histogramPlan } from "./sample_plan.ts";

function warningsOf(guard: PlanGuard | undefined, users?: string, fromEnvironment?: string) {
  const nodes = histogramPlan.nodes.map((node, i) => i === 0 ? { ...node, guard } : node);
  const plan: Plan = { ...histogramPlan, nodes };
  const warnings: string[] = [];
  warnOfUnusedUsers(plan, { users, fromEnvironment }, (text) => warnings.push(text));
  return warnings;
}

Deno.test("warnOfUnusedUsers() warns when no service asks for the users of --auth-users", () => {
  const name = "mp.basicAuth()";
  assertEquals(warningsOf({ name, usersFromOutside: true }, "users"), []);
  assertEquals(warningsOf(undefined, "users"), [
    "--auth-users does nothing here: every caller is answered, for no service is in mp.basicAuth()",
  ]);
  assertEquals(warningsOf({ name, usersFromOutside: false }, "users"), [
    '--auth-users does nothing here: the script itself says who may call "histogram"',
  ]);
});

Deno.test("warnOfUnusedUsers() does not mind a variable that was set for other scripts", () => {
  assertEquals(warningsOf(undefined, "users", "users"), []);
  assertEquals(warningsOf(undefined, "mine", "users").length, 1);
  assertEquals(warningsOf(undefined), []);
});
