import { assertEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { checkJson } from "../../../runtime/cli/read_json.ts";

Deno.test("checkJson() says what to do about JSON of the command line, and of stdin", () => {
  const errorOf = (given: string, isStdin: boolean) => {
    const { where, next } = assertThrows(() => checkJson(given, isStdin, "the request"), MpError);
    return [where, next];
  };
  assertEquals(errorOf("Ada", false), ["JSON:1:1", `A text is JSON in double quotes: '"Ada"'`]);
  assertEquals(errorOf("{a", false), [
    "JSON:1:2",
    "Give JSON in single quotes, so that the shell leaves it as it is",
  ]);
  // no shell has changed that
  assertEquals(errorOf("{a", true), [
    "stdin:1:2",
    'Write JSON to it, such as "a text" or {"n": 1}',
  ]);
});
