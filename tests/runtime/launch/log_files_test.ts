import { assertEquals } from "@std/assert";
import {
  formatLogLine,
  logFile,
  parseLogFile,
  parseLogLine,
} from "../../../runtime/launch/log_files.ts";

const id = { path: "svc.scatter", index: 3 };

Deno.test("logFile() names a file that parseLogFile() reads", () => {
  assertEquals(logFile("/logs", id), "/logs/svc.scatter.3.log");
  assertEquals(parseLogFile("svc.scatter.3.log"), { ...id, age: 0 });
  assertEquals(parseLogFile("svc.scatter.3.log.2"), { ...id, age: 2 });
  for (const name of ["svc.log", "svc.3.txt", "svc.3.log.old", ".3.log"]) {
    assertEquals(parseLogFile(name), undefined, name);
  }
});

Deno.test("formatLogLine() writes a line that parseLogLine() reads", () => {
  for (const text of ["", "hello", "  spaces stay ", "stdout x", "\ttabs\r", "é🎉"]) {
    const line = { ...id, time: 1_700_000_000_123, stream: "stderr" as const, text };
    const written = formatLogLine(line);
    assertEquals(written, `2023-11-14T22:13:20.123Z stderr ${text}\n`);
    assertEquals(parseLogLine(id, written.slice(0, -1)), line);
  }
});

Deno.test("formatLogLine() writes of which request a line is", () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const line = { ...id, time: 1_700_000_000_123, stream: "stdout" as const, text: "a : b" };
  for (const requestId of ["3f2a77c1-9", "a:b/-", "-", "~!@#$%"]) {
    for (const origin of [{ requestId }, { requestId, traceId }]) {
      const written = formatLogLine({ ...line, ...origin });
      assertEquals(parseLogLine(id, written.slice(0, -1)), { ...line, ...origin });
    }
  }
  assertEquals(
    formatLogLine({ ...line, requestId: "id" }),
    "2023-11-14T22:13:20.123Z stdout:-:id a : b\n",
  );
});

Deno.test("parseLogLine() gives nothing for half a line", () => {
  for (
    const text of [
      "",
      "lf a line",
      "2023-11-14T22:13:20.123Z std",
      "2023-11-14T22:13:20.123Z out x",
    ]
  ) {
    assertEquals(parseLogLine(id, text), undefined, text);
  }
});
