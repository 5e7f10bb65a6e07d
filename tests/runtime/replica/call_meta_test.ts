import { assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { decodeMeta, encodeMeta } from "../../../runtime/replica/call_meta.ts";

Deno.test("decodeMeta() gives back what encodeMeta() took, which holds no tab and no line break", () => {
  const requestId = fc.stringMatching(/^[^\s]*$/);
  const user = fc.option(fc.string({ unit: "grapheme" }), { nil: undefined });
  const key = fc.option(fc.string({ unit: "grapheme" }), { nil: undefined });
  fc.assert(fc.property(requestId, user, key, (requestId, user, idempotencyKey) => {
    const meta = encodeMeta({ requestId, user, idempotencyKey });
    assertFalse(/[\t\r\n]/.test(meta));
    assertEquals(decodeMeta(meta), { requestId, user, idempotencyKey });
  }));
});

Deno.test("decodeMeta() tells a user or a key without a character from none", () => {
  for (const user of [undefined, ""]) {
    for (const idempotencyKey of [undefined, ""]) {
      for (const requestId of ["id", "", "a=b"]) {
        const origin = { requestId, user, idempotencyKey };
        assertEquals(decodeMeta(encodeMeta(origin)), origin);
      }
    }
  }
});
