import { assert, assertEquals } from "@std/assert";
import { LogWriter } from "../../../runtime/launch/log_writer.ts";
import type { MpError } from "../../../runtime/errors.ts";
import type { LogLine } from "../../../runtime/launch/driver.ts";
import { readLogs } from "../../../runtime/launch/read_logs.ts";

const id = { path: "svc", index: 0 };
const line = (time: number, text = `line ${time}`): LogLine => ({
  ...id,
  time,
  stream: "stdout",
  text,
});

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("LogWriter keeps lines in a file for each replica, private to the user", () =>
  withFolder(async (folder) => {
    const logs = new LogWriter(`${folder}/new/logs`);
    const other = { ...line(2), path: "svc.part", index: 7 };
    logs.write(line(1));
    logs.write(other);
    await logs.close();
    assertEquals(await Array.fromAsync(readLogs(`${folder}/new/logs`)), [line(1), other]);
    if (Deno.build.os !== "windows") {
      assertEquals((await Deno.stat(`${folder}/new/logs/svc.0.log`)).mode! & 0o777, 0o600);
    }
  }));

Deno.test("LogWriter goes on with the files that are there", () =>
  withFolder(async (folder) => {
    for (const time of [1, 2]) {
      const logs = new LogWriter(folder);
      logs.write(line(time));
      await logs.close();
    }
    assertEquals(await Array.fromAsync(readLogs(folder)), [line(1), line(2)]);
  }));

Deno.test("LogWriter begins a new file when one is full, and drops the oldest", () =>
  withFolder(async (folder) => {
    const logs = new LogWriter(folder, { size: 1_000, files: 3 });
    for (let time = 0; time < 200; time++) {
      logs.write(line(time));
      if (time % 10 === 0) await logs.close();
    }
    await logs.close();
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    assertEquals(names, ["svc.0.log", "svc.0.log.1", "svc.0.log.2"]);
    for (const name of names) assert((await Deno.stat(`${folder}/${name}`)).size <= 1_000);
    const kept = (await Array.fromAsync(readLogs(folder))).map(({ time }) => time);
    assertEquals(kept, Array.from({ length: kept.length }, (_, i) => 200 - kept.length + i));
    assert(kept.length > 40);
  }));

Deno.test("LogWriter asks to wait when more comes than can be written", () =>
  withFolder(async (folder) => {
    const logs = new LogWriter(folder);
    assertEquals(logs.write(line(1)), undefined);
    const wait = logs.write(line(2, "x".repeat(2_000_000)));
    assert(wait instanceof Promise);
    await wait;
    assertEquals(logs.write(line(3)), undefined);
    await logs.close();
  }));

Deno.test({
  name: "LogWriter warns once when the disk is full, and goes on when it has room",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (folder) => {
      const warnings: MpError[] = [];
      const logs = new LogWriter(folder, { warn: (warning) => void warnings.push(warning) });
      await Deno.symlink("/dev/full", `${folder}/svc.0.log`);
      logs.write(line(1));
      await logs.write(line(2, "x".repeat(2_000_000)));
      logs.write(line(3));
      await logs.close();
      assertEquals(warnings.map(({ code }) => code), ["state_unwritable"]);
      assertEquals(
        warnings[0]!.message,
        `Cannot keep logs in ${folder}: No space left on device (os error 28)`,
      );
      await Deno.remove(`${folder}/svc.0.log`);
      logs.write(line(4));
      await logs.close();
      assertEquals(await Array.fromAsync(readLogs(folder)), [line(4)]);
    }),
});
