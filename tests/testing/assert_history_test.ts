import { assertMatch, assertThrows } from "@std/assert";
import {
  assertConserved,
  assertExactlyOnce,
  assertLinearizable,
  counter,
  type CounterInput,
  History,
  HistoryAssertionError,
} from "@metaparticle/mp/testing";

Deno.test("assertLinearizable() accepts a history that fits, and says where another goes wrong", () => {
  const history = new History<CounterInput, number>();
  const one = history.call("a", { op: "add", amount: 1 });
  const two = history.call("b", { op: "add", amount: 1 });
  two.returned(1);
  one.returned(2);
  assertLinearizable(counter(), history.operations);
  history.call("c", { op: "read" }).returned(1);
  const error = assertThrows(
    () => assertLinearizable(counter(), history.operations),
    HistoryAssertionError,
  );
  assertMatch(error.message, /read/);
});

Deno.test("assertConserved() and assertExactlyOnce() say what is wrong", () => {
  assertConserved(10, [4, 6], [10, 0]);
  assertThrows(() => assertConserved(10, [4, 5]), HistoryAssertionError, "adds up to 9");
  assertExactlyOnce({ acknowledged: ["a"], unknown: ["b"] }, ["a"]);
  assertThrows(
    () => assertExactlyOnce({ acknowledged: ["a"] }, ["a", "a"]),
    HistoryAssertionError,
    '"a" happened 2 times',
  );
});
