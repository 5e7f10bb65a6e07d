import { assertEquals } from "@std/assert";
import { Floor } from "../../../scripts/test/floor.ts";

const file = (name: string) => `running 2 tests from ./tests/${name}_test.ts`;

Deno.test("Floor prints what a lone speaker says at once", () => {
  const printed: string[] = [];
  const { print, end } = new Floor((line) => printed.push(line)).speaker();
  print(file("a"));
  assertEquals(printed, [file("a")]);
  print("one ... ok (1ms)");
  print(file("b"));
  assertEquals(printed, [file("a"), "one ... ok (1ms)", file("b")]);
  end();
});

Deno.test("Floor keeps the lines of a file together, and loses none", () => {
  const printed: string[] = [];
  const floor = new Floor((line) => printed.push(line));
  const [one, two, three] = [floor.speaker(), floor.speaker(), floor.speaker()];
  one.print(file("a"));
  two.print(file("b"));
  three.print(file("c"));
  two.print("b1 ... ok (1ms)");
  three.print("c1 ... ok (1ms)");
  three.print("ok | 1 passed | 0 failed (1s)");
  three.end();
  one.print("a1 ... ok (1ms)");
  assertEquals(printed, [file("a"), "a1 ... ok (1ms)"]);

  // the floor goes on to the second, in the midst of its file
  one.print(file("d"));
  two.print("b2 ... ok (1ms)");
  assertEquals(printed.slice(2), [file("b"), "b1 ... ok (1ms)", "b2 ... ok (1ms)"]);

  // then to the third, which has ended, and to the first
  two.end();
  one.print("d1 ... ok (1ms)");
  one.end();
  assertEquals(printed.slice(5), [
    file("c"),
    "c1 ... ok (1ms)",
    "ok | 1 passed | 0 failed (1s)",
    file("d"),
    "d1 ... ok (1ms)",
  ]);
});

Deno.test("Floor prints what waits when the last holder ends", () => {
  const printed: string[] = [];
  const floor = new Floor((line) => printed.push(line));
  const [one, two] = [floor.speaker(), floor.speaker()];
  one.print("tests/a_test.ts => a1 ... ok (1ms)");
  two.print(file("docs"));
  two.print("docs ... ok (1ms)");
  two.end();
  one.print("tests/b_test.ts => b1 ... ok (1ms)");
  one.end();
  assertEquals(printed.slice(2), [file("docs"), "docs ... ok (1ms)"]);
});
