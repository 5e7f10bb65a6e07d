import { assertEquals } from "@std/assert";
import { palette, wantsColor } from "../../../runtime/cli/palette.ts";

const env = (variables: Record<string, string>) => (name: string) => variables[name];

Deno.test("wantsColor() colours terminals only", () => {
  assertEquals(wantsColor("auto", true, env({})), true);
  assertEquals(wantsColor("auto", false, env({})), false);
  assertEquals(wantsColor("auto", true, env({ TERM: "dumb" })), false);
});

Deno.test("wantsColor() obeys the option before NO_COLOR before FORCE_COLOR", () => {
  assertEquals(wantsColor("auto", true, env({ NO_COLOR: "1" })), false);
  assertEquals(wantsColor("auto", false, env({ FORCE_COLOR: "1" })), true);
  assertEquals(wantsColor("auto", true, env({ FORCE_COLOR: "0" })), false);
  assertEquals(wantsColor("auto", false, env({ NO_COLOR: "1", FORCE_COLOR: "1" })), false);
  assertEquals(wantsColor("always", false, env({ NO_COLOR: "1" })), true);
  assertEquals(wantsColor("never", true, env({ FORCE_COLOR: "1" })), false);
});

Deno.test("palette() colours or leaves text alone", () => {
  assertEquals(palette(false).red("x"), "x");
  assertEquals(palette(false).nth(3, "x"), "x");
  assertEquals(palette(true).red("x"), "\x1b[31mx\x1b[39m");
  assertEquals(palette(true).nth(0, "x"), palette(true).nth(10, "x"));
});
