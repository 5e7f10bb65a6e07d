import { assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { decodeMeta, encodeMeta } from "../../../runtime/replica/call_meta.ts";

Deno.test("decodeMeta() gives back what encodeMeta() took, which holds no tab and no line break", () => {
  const requestId = fc.stringMatching(/^[^\s]*$/);
  const user = fc.option(fc.string({ unit: "grapheme" }), { nil: undefined });
  const key = fc.option(fc.string({ unit: "grapheme" }), { nil: undefined });
  const trace = fc.option(
    fc.record({
      traceparent: fc.constant("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
      tracestate: fc.stringMatching(/^[\x20-\x7e]+$/),
    }, { requiredKeys: ["traceparent"] }).map((trace) => ({ ...trace })),
    { nil: undefined },
  );
  fc.assert(fc.property(requestId, user, key, trace, (requestId, user, idempotencyKey, trace) => {
    const meta = encodeMeta({ requestId, user, idempotencyKey, trace });
    assertFalse(/[\t\r\n]/.test(meta));
    assertEquals(decodeMeta(meta), { requestId, user, idempotencyKey, trace });
  }));
});

Deno.test("decodeMeta() tells a user or a key without a character from none", () => {
  for (const user of [undefined, ""]) {
    for (const idempotencyKey of [undefined, ""]) {
      for (const requestId of ["id", "", "a=b"]) {
        const origin = { requestId, user, idempotencyKey, trace: undefined };
        assertEquals(decodeMeta(encodeMeta(origin)), origin);
      }
    }
  }
});
