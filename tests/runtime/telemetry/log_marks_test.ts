import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { logMark, type LogOrigin, unmarkLine } from "../../../runtime/telemetry/log_marks.ts";

const a: LogOrigin = { requestId: "a-1" };
const b: LogOrigin = { requestId: "b-2", traceId: "0af7651916cd43dd8448eb211c80319c" };

/** The lines of an output, each with its origin. */
function linesOf(output: string): [string, LogOrigin | undefined][] {
  let before: LogOrigin | undefined;
  return output.split("\n").map((line) => {
    const { text, origin, next } = unmarkLine(line, before);
    before = next;
    return [text, origin];
  });
}

Deno.test("unmarkLine() leaves lines without marks as they are", () => {
  fc.assert(fc.property(fc.string().filter((text) => !text.includes("\x1e")), (text) => {
    assertEquals(unmarkLine(text, a), { text, origin: a, next: a });
    assertEquals(unmarkLine(text, undefined), { text, origin: undefined, next: undefined });
  }));
});

Deno.test("unmarkLine() tells of which request each line is, and takes the marks out", () => {
  const out = [
    "before",
    `${logMark(a)}one`,
    "two, of the same text",
    `${logMark(undefined)}outside`,
    `${logMark(b)}other`,
    `${logMark(undefined)}${logMark(a)}again`,
    logMark(undefined),
  ].join("\n");
  assertEquals(linesOf(out), [
    ["before", undefined],
    ["one", a],
    ["two, of the same text", a],
    ["outside", undefined],
    ["other", b],
    ["again", a],
    ["", undefined],
  ]);
});

Deno.test("unmarkLine() gives a line to the first request that writes to it, and an empty one to whom it belongs", () => {
  assertEquals(linesOf(`working… ${logMark(a)}done`), [["working… done", a]]);
  assertEquals(linesOf(`${logMark(a)}\n${logMark(undefined)}`), [["", a], ["", undefined]]);
});

Deno.test("unmarkLine() takes half a mark for text", () => {
  assertEquals(unmarkLine("\x1ehalf", a), { text: "\x1ehalf", origin: a, next: a });
  assertEquals(unmarkLine("\x1f", a).text, "\x1f");
});
