import { assert, assertEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { formatJunit } from "../../../runtime/run_tests/format_junit.ts";
import { readFilter } from "../../../runtime/run_tests/read_filter.ts";
import { readDefinition } from "../../../runtime/run_tests/test_definition.ts";

const fn = () => {};

Deno.test("readDefinition() reads every form of Deno.test()", () => {
  const read = (...args: unknown[]) => {
    const { name, ignore, only } = readDefinition("test", args, undefined);
    return [name, ignore, only];
  };
  assertEquals(read("a", fn), ["a", false, false]);
  assertEquals(read(function b() {}), ["b", false, false]);
  assertEquals(read({ name: "c", fn, only: true }), ["c", false, true]);
  assertEquals(read("d", { ignore: true }, fn), ["d", true, false]);
  assertEquals(read({ name: "e", ignore: true }, fn), ["e", true, false]);
  assertEquals(read({ name: "f", fn }, undefined), ["f", false, false]);
});

Deno.test("readDefinition() names what is missing", () => {
  assertThrows(() => readDefinition("test", ["a"], undefined), TypeError, "no function");
  assertThrows(() => readDefinition("step", [() => {}], undefined), TypeError, "no name");
  assertThrows(() => readDefinition("test", [1, fn], undefined), TypeError, "number");
});

Deno.test("readFilter() takes texts and regular expressions", () => {
  assert(readFilter(undefined)("anything"));
  assert(readFilter("ref")("a refund"));
  assert(!readFilter("ref")("a sale"));
  assert(readFilter("/^a .*d$/")("a refund"));
  assert(readFilter("/")("a/b"));
  assertThrows(() => readFilter("/(/"), MpError, "Cannot read --filter");
});

Deno.test("formatJunit() writes what XML can hold", () => {
  const xml = formatJunit([{
    file: "/x_test.ts",
    tests: [{
      name: 'a <b> & "c"\u0007',
      status: "failed",
      took: 1_500,
      error: new Error("bad\nnews"),
      position: { file: "/x_test.ts", line: 3, column: 5 },
      steps: [{ name: "s", status: "ok", took: 2, position: undefined, steps: [] }],
    }],
    error: "at the top",
    cancelled: 0,
    filteredOut: 0,
    usedOnly: false,
  }], () => "./x_test.ts");
  assert(xml.includes('tests="3" failures="2"'), xml);
  assert(
    xml.includes(
      'name="a &lt;b&gt; &amp; &quot;c&quot;" classname="./x_test.ts" time="1.500" line="3" col="5"',
    ),
    xml,
  );
  assert(xml.includes('message="bad&#10;news"'), xml);
  assert(xml.includes('name="a &lt;b&gt; &amp; &quot;c&quot; &gt; s"'), xml);
  assert(xml.includes("./x_test.ts (uncaught error)"), xml);
});
