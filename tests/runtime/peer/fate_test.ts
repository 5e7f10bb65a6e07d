import { assertEquals, assertStrictEquals } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { fateOf, withFate, withoutFate } from "../../../runtime/peer/fate.ts";

Deno.test("withoutFate() says the same to the caller, and nothing of what has begun", () => {
  const cause = new Error("why");
  const error = withFate(
    new MpError("overloaded", "Cannot call", { replica: "s.0", retryAfter: 5, cause }),
    "unstarted",
  );
  const plain = withoutFate(error);
  assertEquals([fateOf(error), fateOf(plain)], ["unstarted", undefined]);
  assertEquals(plain.toData(), error.toData());
  assertStrictEquals(plain.cause, cause);
  // many calls may have failed with one error
  assertEquals(fateOf(error), "unstarted");
  assertStrictEquals(withoutFate(plain), plain);
});
