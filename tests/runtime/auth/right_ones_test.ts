import { assertEquals } from "@std/assert";
import { RightOnes } from "../../../runtime/auth/right_ones.ts";

Deno.test("RightOnes remembers 1,000, the last that were right", () => {
  const right = new RightOnes<number>();
  for (let i = 0; i <= 1000; i++) right.add(`token ${i}`, i);
  assertEquals(right.get("token 0"), undefined);
  assertEquals([right.get("token 1"), right.get("token 1000")], [1, 1000]);
  assertEquals(right.get("__proto__"), undefined);
});
