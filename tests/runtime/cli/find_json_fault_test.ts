import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { findJsonFault } from "../../../runtime/cli/find_json_fault.ts";

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

Deno.test("findJsonFault() finds nothing in what JSON.parse takes", () => {
  fc.assert(fc.property(fc.json(), (text) => findJsonFault(text) === undefined));
  for (const text of ["1", " [ ] ", "{}", '"\\u00e9"', "-0.5e+3", "\n[1,\t{ }]\r\n"]) {
    assertEquals(findJsonFault(text), undefined, text);
  }
});

Deno.test("findJsonFault() agrees with JSON.parse about text that is nearly JSON", () => {
  const spoiled = fc.tuple(fc.json(), fc.nat(), fc.constantFrom(..."{}[]:,\"'\\0-.e tn\u0001"))
    .map(([text, at, char]) => {
      const i = at % (text.length + 1);
      return text.slice(0, i) + char + text.slice(i + (at % 2));
    });
  fc.assert(
    fc.property(spoiled, (text) => (findJsonFault(text) === undefined) === parses(text)),
    { numRuns: 2000 },
  );
});

Deno.test("findJsonFault() names the place and what is wrong there", () => {
  const faults: [string, number, number, string][] = [
    ["hello", 1, 1, '"hello" was not expected'],
    ["", 1, 1, "a value is missing"],
    ["[1, 2", 1, 6, '"]" is missing'],
    ['{"a": }', 1, 7, '"}" was not expected'],
    ["{\n  a: 1\n}", 2, 3, "a name in double quotes is missing"],
    ['{"a" 1}', 1, 6, '":" is missing'],
    ["[1 2]", 1, 4, '"," or "]" is missing'],
    ["[1,]", 1, 4, '"]" was not expected'],
    ["1 2", 1, 3, '"2" follows the value'],
    ['"abc', 1, 1, "a text is not closed, or holds what JSON forbids"],
    ["01", 1, 2, '"1" follows the value'],
  ];
  for (const [text, line, column, problem] of faults) {
    assertEquals(findJsonFault(text), { line, column, problem }, text);
  }
});

Deno.test("findJsonFault() reads texts of any length", () => {
  for (const part of ["x", "\\n", "é"]) {
    const long = `{"a": "${part.repeat(8_000_000)}"`;
    assertEquals(findJsonFault(`${long}}`), undefined);
    assertEquals(findJsonFault(long)?.problem, '"}" is missing');
  }
});
