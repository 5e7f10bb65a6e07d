import { assertEquals } from "@std/assert";
import { readLine } from "../../../runtime/peer/line.ts";

Deno.test("readLine() reads every kind of line", () => {
  assertEquals(readLine('c7 50  id-1 ada\t{"a":"b\\tc"}'), {
    kind: "call",
    id: 7,
    timeout: 50,
    meta: "id-1 ada",
    body: '{"a":"b\\tc"}',
  });
  assertEquals(readLine("c7 50 load \t"), {
    kind: "call",
    id: 7,
    timeout: 50,
    meta: "",
    body: "",
  });
  assertEquals(readLine("r7 [1]"), { kind: "result", id: 7, body: "[1]" });
  assertEquals(readLine("r7 "), { kind: "result", id: 7, body: "" });
  assertEquals(readLine('e7 {"code":"x"}'), { kind: "error", id: 7, body: '{"code":"x"}' });
  assertEquals(readLine("x7"), { kind: "cancel", id: 7 });
  assertEquals(readLine("nhello {}"), { kind: "notice", target: "hello", body: "{}" });
  assertEquals([readLine("p1"), readLine("q1")], [
    { kind: "ping", id: 1 },
    { kind: "pong", id: 1 },
  ]);
});

Deno.test("readLine() gives nothing for what is no line", () => {
  for (const text of ["", "z1", "c1", "r", "n"]) assertEquals(readLine(text), undefined);
});
