import { assertEquals } from "@std/assert";
import { checkConserved } from "../../../runtime/check/conserved.ts";

Deno.test("checkConserved() finds nothing wrong where each sum is right", () => {
  assertEquals(checkConserved(6, [[1, 2, 3], [6, 0, 0], [7, -1]]), []);
});

Deno.test("checkConserved() names each snapshot whose sum is another", () => {
  assertEquals(checkConserved(6, [[1, 2, 3], [1, 2], [7]]), [
    "snapshot 1 adds up to 3 instead of 6: 1, 2",
    "snapshot 2 adds up to 7 instead of 6: 7",
  ]);
});
