import { assertEquals } from "@std/assert";
import { afterTurn, forgetTurn } from "../../../runtime/peer/turn.ts";
import { settled } from "../../support/virtual_clock.ts";

Deno.test("afterTurn() calls all back at the end of a turn", async () => {
  const called: number[] = [];
  for (const i of [1, 2, 3]) afterTurn(() => called.push(i));
  assertEquals(called, []);
  await settled();
  assertEquals(called, [1, 2, 3]);
});

Deno.test("forgetTurn() forgets who waits, and not who comes later", async () => {
  const called: number[] = [];
  afterTurn(() => called.push(1));
  forgetTurn();
  afterTurn(() => called.push(2));
  await settled();
  assertEquals(called, [2]);
});
