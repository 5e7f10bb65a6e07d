import { assertEquals } from "@std/assert";
import { checkExactlyOnce } from "../../../runtime/check/exactly_once.ts";

Deno.test("checkExactlyOnce() finds nothing wrong where all is well", () => {
  const asked = { acknowledged: ["a", "b"], unknown: ["c", "d"] };
  assertEquals(checkExactlyOnce(asked, ["b", "c", "a"]), []);
  assertEquals(checkExactlyOnce({ acknowledged: [] }, []), []);
});

Deno.test("checkExactlyOnce() names what is lost, doubled, or not asked for", () => {
  assertEquals(
    checkExactlyOnce({ acknowledged: ["a", "b"], unknown: ["c"] }, ["b", "b", "c", "c", "d"]),
    [
      '"a" was acknowledged and is not there',
      '"b" happened 2 times',
      '"c" happened 2 times',
      '"d" happened, which nobody asked for or which was said to have failed',
    ],
  );
});
