import { assertEquals } from "@std/assert";
import type { LogLine } from "../../../runtime/launch/driver.ts";
import { formatLogLine, logFile } from "../../../runtime/launch/log_files.ts";
import type { LogOptions } from "../../../runtime/launch/driver.ts";
import { readLogs } from "../../../runtime/launch/read_logs.ts";

const a = { path: "svc.a", index: 0 };
const b = { path: "svc.b", index: 1 };

function line(id: typeof a, time: number, text = `${id.path} at ${time}`): LogLine {
  return { ...id, time, stream: "stdout", text };
}

async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function write(file: string, ...lines: LogLine[]): Promise<void> {
  await Deno.writeTextFile(file, lines.map(formatLogLine).join(""), { append: true });
}

async function times(path: string, options?: LogOptions): Promise<number[]> {
  return (await Array.fromAsync(readLogs(path, options))).map(({ time }) => time);
}

Deno.test("readLogs() merges replicas and their older files in the order of time", async () => {
  await using logs = await folder();
  const [first, second] = [logFile(logs.path, a), logFile(logs.path, b)];
  await write(`${first}.2`, line(a, 1), line(a, 3));
  await write(`${first}.1`, line(a, 5), line(a, 6));
  await write(first, line(a, 9));
  await write(second, line(b, 2), line(b, 4), line(b, 6), line(b, 8));
  await Deno.writeTextFile(`${logs.path}/notes.txt`, "not a log");
  assertEquals(await times(logs.path), [1, 2, 3, 4, 5, 6, 6, 8, 9]);
  assertEquals(await times(logs.path, { replica: ({ path }) => path === "svc.b" }), [2, 4, 6, 8]);
  assertEquals(await times(logs.path, { since: 6 }), [6, 6, 8, 9]);
  assertEquals(await times(logs.path, { tail: 2 }), [6, 6, 8, 9]);
  assertEquals(await times(logs.path, { tail: 4, since: 6 }), [6, 6, 8, 9]);
  assertEquals(await times(logs.path, { tail: 0 }), []);
});

Deno.test("readLogs() gives nothing for a folder that is not there", async () => {
  await using logs = await folder();
  assertEquals(await times(`${logs.path}/none`), []);
  assertEquals(await times(`${logs.path}/none`, { follow: true }), []);
});

Deno.test("readLogs() finds the last lines of a file larger than what is read at once", async () => {
  await using logs = await folder();
  const lines = Array.from({ length: 5_000 }, (_, i) => line(a, i, `${i} ${"é".repeat(i % 50)}`));
  await write(logFile(logs.path, a), ...lines);
  assertEquals(await Array.fromAsync(readLogs(logs.path, { tail: 3_000 })), lines.slice(-3_000));
  assertEquals(await Array.fromAsync(readLogs(logs.path)), lines);
});

Deno.test("readLogs() leaves out what is no whole line", async () => {
  await using logs = await folder();
  const file = logFile(logs.path, a);
  await write(file, line(a, 1));
  await Deno.writeTextFile(file, "2023-11-14T22:13:2\n", { append: true });
  await write(file, line(a, 2));
  await Deno.writeTextFile(file, formatLogLine(line(a, 3)).slice(0, -1), { append: true });
  assertEquals(await times(logs.path), [1, 2]);
  assertEquals(await times(logs.path, { tail: 9 }), [1, 2]);
});

Deno.test("readLogs() follows files that grow, begin and are rotated", async () => {
  await using logs = await folder();
  const [first, second] = [logFile(logs.path, a), logFile(logs.path, b)];
  await write(first, line(a, 1), line(a, 2));
  const stop = new AbortController();
  const reader = readLogs(logs.path, { follow: true, tail: 1, signal: stop.signal });
  const next = async () => (await reader.next()).value?.time;
  assertEquals(await next(), 2);
  await write(first, line(a, 3), line(a, 4));
  assertEquals([await next(), await next()], [3, 4]);
  await write(second, line(b, 5));
  assertEquals(await next(), 5);
  // a line that comes in two pieces
  const [head, tail] = [
    formatLogLine(line(a, 6)).slice(0, 30),
    formatLogLine(line(a, 6)).slice(30),
  ];
  await Deno.writeTextFile(first, head, { append: true });
  await write(second, line(b, 7));
  assertEquals(await next(), 7);
  await Deno.writeTextFile(first, tail, { append: true });
  assertEquals(await next(), 6);
  await write(first, line(a, 8));
  await Deno.rename(first, `${first}.1`);
  await write(first, line(a, 9));
  assertEquals([await next(), await next()], [8, 9]);
  const end = reader.next();
  stop.abort();
  assertEquals(await end, { value: undefined, done: true });
});
