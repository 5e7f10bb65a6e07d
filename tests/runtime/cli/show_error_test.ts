import { assertEquals, assertStringIncludes } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { palette } from "../../../runtime/cli/palette.ts";
import { exitStatus, showError } from "../../../runtime/cli/show_error.ts";

const plain = palette(false);

Deno.test("showError() says what failed, where, and what to do next", () => {
  const error = new MpError(
    "import_unresolved",
    'Cannot resolve "./leaf.ts": there is no such file',
    {
      where: "topology.ts:3:12",
      next: "Create it",
    },
  );
  assertEquals(
    showError(error, plain, false),
    `error: Cannot resolve "./leaf.ts": there is no such file
  at topology.ts:3:12
  → Create it`,
  );
});

Deno.test("showError() names the replica where there is no other place", () => {
  const error = new MpError("handler_failed", "boom", { replica: "a.scatter.3" });
  assertEquals(showError(error, plain, false), "error: boom\n  at a.scatter.3");
});

Deno.test("showError() shows anything that was thrown", () => {
  assertEquals(showError(new TypeError("bad"), plain, false), "error: bad");
  assertEquals(showError("text", plain, false), "error: text");
  assertEquals(showError(undefined, plain, false), "error: undefined");
});

Deno.test("showError() shows stacks, of causes too, when asked", () => {
  const shown = showError(new Error("outer", { cause: new Error("inner") }), plain, true);
  assertStringIncludes(shown, "show_error_test.ts");
  assertStringIncludes(shown, "caused by: Error: inner");
});

Deno.test("exitStatus() is 2 for wrong usage and 1 for everything else", () => {
  assertEquals(exitStatus(new MpError("usage", "x")), 2);
  assertEquals(exitStatus(new MpError("port_in_use", "x")), 1);
  assertEquals(exitStatus(new TypeError("x")), 1);
});
