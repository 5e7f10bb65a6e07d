import { assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { decodeMeta, encodeMeta } from "../../../runtime/replica/call_meta.ts";

Deno.test("decodeMeta() gives back what encodeMeta() took, which holds no tab and no line break", () => {
  const requestId = fc.stringMatching(/^[^\s]*$/);
  const user = fc.option(fc.string({ unit: "grapheme" }), { nil: undefined });
  fc.assert(fc.property(requestId, user, (requestId, user) => {
    const meta = encodeMeta({ requestId, user });
    assertFalse(/[\t\r\n]/.test(meta));
    assertEquals(decodeMeta(meta), { requestId, user });
  }));
});

Deno.test("decodeMeta() tells a user without a name from no user", () => {
  assertEquals(decodeMeta(encodeMeta({ requestId: "id", user: "" })), {
    requestId: "id",
    user: "",
  });
  assertEquals(decodeMeta("id"), { requestId: "id", user: undefined });
  assertEquals(decodeMeta(""), { requestId: "", user: undefined });
});
