import { assertEquals } from "@std/assert";
import { CallContext } from "../../../runtime/replica/call_context.ts";
import { markConsole } from "../../../runtime/replica/marked_console.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

/** A console that writes to a list, with marks shown as `<…>`. */
function marked() {
  const written: string[] = [];
  const print = (stream: string) => (...args: unknown[]) => {
    written.push(`${stream}: ${args.join(" ")}`);
  };
  const fake = {
    ...Object.fromEntries(
      ["log", "info", "debug", "dir", "dirxml", "table", "group", "groupCollapsed", "count"]
        .concat("timeLog", "timeEnd").map((name) => [name, print("stdout")]),
    ),
    ...Object.fromEntries(
      ["warn", "error", "trace", "assert"].map((name) => [name, print("stderr")]),
    ),
  } as unknown as Console;
  markConsole({
    console: fake,
    write: (stream, text) => {
      written.push(`${stream}: ${text.replace("\x1e", "<").replace("\x1f", ">")}`);
    },
  });
  return { fake, written };
}

function contextOf(requestId: string, traceparent?: string): CallContext {
  return new CallContext({
    service: "s",
    replica: { path: "s", index: 0, count: 1, name: "s.0" },
    timeout: 1000,
    requestId,
    ...(traceparent !== undefined && { trace: { traceparent } }),
  });
}

Deno.test("markConsole() leaves what is printed outside of calls as it is", () => {
  const { fake, written } = marked();
  fake.log("a", 1);
  fake.error("b");
  assertEquals(written, ["stdout: a 1", "stderr: b"]);
});

Deno.test("markConsole() marks what a call prints, once for what is printed together", async () => {
  const { fake, written } = marked();
  contextOf("id-1").run(() => {
    fake.log("one");
    fake.table("two");
    fake.warn("three");
  }, undefined);
  fake.log("outside");
  await Promise.resolve();
  assertEquals(written, [
    "stdout: <id-1>",
    "stdout: one",
    "stdout: two",
    "stderr: <id-1>",
    "stderr: three",
    "stdout: <>",
    "stdout: outside",
    "stderr: <>",
  ]);
});

Deno.test("markConsole() marks what is printed after an await, with the trace", async () => {
  const { fake, written } = marked();
  const calls = ["id-1", "id-2"].map((id) =>
    contextOf(id, `00-${TRACE}-b7ad6b7169203331-01`).run(async () => {
      await Promise.resolve();
      fake.log(id);
    }, undefined)
  );
  await Promise.all(calls);
  await Promise.resolve();
  assertEquals(written, [
    `stdout: <id-1 ${TRACE}>`,
    "stdout: id-1",
    `stdout: <id-2 ${TRACE}>`,
    "stdout: id-2",
    "stdout: <>",
  ]);
});
