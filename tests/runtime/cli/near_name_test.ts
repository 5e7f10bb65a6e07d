import { assertEquals } from "@std/assert";
import { didYouMean, nearName } from "../../../runtime/cli/near_name.ts";

const COMMANDS = ["run", "client", "plan", "ps", "logs", "restart", "scale", "delete"];

Deno.test("nearName() finds a name with a letter wrong, missing, too many or swapped", () => {
  for (const typed of ["cliemt", "clint", "clieent", "cilent", "CLIENT"]) {
    assertEquals(nearName(typed, COMMANDS), "client", typed);
  }
});

Deno.test("nearName() finds the name that begins like it", () => {
  assertEquals(nearName("del", COMMANDS), "delete");
  assertEquals(nearName("sc", COMMANDS), "scale");
});

Deno.test("nearName() finds nothing when nothing is near", () => {
  assertEquals(nearName("kubernetes", COMMANDS), undefined);
  assertEquals(nearName("x", COMMANDS), undefined);
  assertEquals(nearName("run", []), undefined);
});

Deno.test("nearName() prefers the nearest", () => {
  assertEquals(nearName("scatter", ["scattered", "scatter.x", "shatter"]), "scattered");
  assertEquals(nearName("plam", ["plane", "plan"]), "plan");
});

Deno.test("didYouMean() says something else when nothing is near", () => {
  assertEquals(didYouMean("lgos", COMMANDS, "See mp help"), 'Did you mean "logs"?');
  assertEquals(didYouMean("zzz", COMMANDS, "See mp help"), "See mp help");
});
