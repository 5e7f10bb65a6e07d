import { assertEquals } from "@std/assert";
import { challengeOf } from "../../../runtime/auth/realm.ts";

const open = () => () => undefined;

Deno.test("challengeOf() names the realm, or the service, in quotes", () => {
  const basic = { name: "mp.basicAuth()", scheme: "Basic", realm: undefined, open } as const;
  assertEquals(challengeOf(basic, "counter"), 'Basic realm="counter", charset="UTF-8"');
  assertEquals(
    challengeOf({ ...basic, realm: 'the "inner" \\ circle' }, "counter"),
    'Basic realm="the \\"inner\\" \\\\ circle", charset="UTF-8"',
  );
  assertEquals(
    challengeOf({ ...basic, scheme: "Bearer", realm: "shop" }, "counter"),
    'Bearer realm="shop"',
  );
});
