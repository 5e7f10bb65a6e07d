import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { DatabaseSync } from "node:sqlite";
import { fileStorage } from "../../../drivers/storage/file.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { Storage } from "../../../runtime/storage/storage.ts";
import {
  DONE,
  put,
  range,
  read,
  scope,
  Session,
  values,
} from "../../conformance/storage/harness.ts";
import { testStorage } from "../../conformance/storage/suite.ts";
import { type Need, needsSystem, testWith } from "../../support/needs.ts";
import { startProgram } from "../../support/program.ts";

testStorage("file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-file-" });
  return {
    open: (options) => fileStorage({ ...options, path: join(folder, ".mp", "data.db") }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
});

/** A folder for one test. */
async function temporaryFolder() {
  const folder = await Deno.makeTempDir({ prefix: "mp-file-" });
  return {
    folder,
    path: join(folder, "data.db"),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const open = (path: string) => fileStorage({ path, namespace: "shop" });

/** The reason and the message of a call's fault. */
async function faultOf(call: () => Promise<unknown>) {
  const { code, reason, message, next } = await assertRejects(call, MpError);
  return { code, reason, message, next };
}

const startCounting = (path: string, name: string, times: number) =>
  startProgram(Deno.execPath(), {
    args: ["run", "-A", new URL("counting_program.ts", import.meta.url).pathname]
      .concat(path, name, String(times)),
    cwd: new URL("../../..", import.meta.url).pathname,
    env: Deno.env.toObject(),
  });

Deno.test("fileStorage() shares one file between processes", async () => {
  await using place = await temporaryFolder();
  const programs = range(4).map(() => startCounting(place.path, "count", 50));
  const ends = await Promise.all(programs.map(({ ended }) => ended));
  assertEquals(ends.map(({ code, stderr }) => [code, stderr]), range(4).map(() => [0, ""]));
  await using storage = open(place.path);
  assertEquals(await values(storage, [scope("count")]), [200]);
});

Deno.test("fileStorage() keeps what was acknowledged when its process is killed with -9", async () => {
  await using place = await temporaryFolder();
  let least = 0;
  let most = 0;
  for (const round of range(4)) {
    const program = startCounting(place.path, "count", 1_000_000);
    await program.line(`counted ${10 + round * 25}`);
    program.kill("SIGKILL");
    const { stdout } = await program.ended;
    const counted = stdout.match(/^counted \d+$/gm)!.length;
    least += counted;
    // the last commit may be there although nobody was told
    most += counted + 1;
    await using storage = open(place.path);
    const [count] = await values(storage, [scope("count")]) as [number];
    assert(count >= least && count <= most, `${count} is not from ${least} to ${most}`);
    least = most = count;
  }
});

Deno.test("fileStorage() waits for the lock of another process, and readers do not", async () => {
  await using place = await temporaryFolder();
  const session = new Session(open(place.path));
  await using _storage = session.storage;
  await session.put(scope("a"), 1);
  const other = new DatabaseSync(place.path);
  other.exec("BEGIN IMMEDIATE");
  try {
    const writing = session.put(scope("a"), 2);
    assertEquals(await values(session.storage, [scope("a")]), [1]);
    const signal = AbortSignal.timeout(20);
    const commit = session.next([], [put(scope("b"), 1)]);
    const fault = await faultOf(() => session.send(commit, signal));
    assertEquals([fault.code, fault.reason], ["storage_unavailable", "busy"]);
    assertEquals(fault.message, `Cannot use "${place.path}": another process keeps it locked`);
    other.exec("ROLLBACK");
    await writing;
    assertEquals(await values(session.storage, [scope("a"), scope("b")]), [2, undefined]);
  } finally {
    other.close();
  }
});

Deno.test("close() of a file storage ends those that wait for a lock, and leaves no file open", async () => {
  await using place = await temporaryFolder();
  const session = new Session(open(place.path));
  await session.put(scope("a"), 1);
  const other = new DatabaseSync(place.path);
  other.exec("BEGIN IMMEDIATE");
  const waiting = faultOf(() => session.put(scope("a"), 2));
  await session.storage.close();
  assertEquals((await waiting).reason, "closed");
  other.exec("ROLLBACK");
  other.close();
  const names = Array.from(Deno.readDirSync(place.folder), ({ name }) => name);
  assertEquals(names, ["data.db"]);
});

Deno.test("fileStorage() makes the folder of its file", async () => {
  await using place = await temporaryFolder();
  const path = join(place.folder, "a", "b c", "%41.db");
  await using storage = open(path);
  await new Session(storage).put(scope("a"), 1);
  assert((await Deno.stat(path)).isFile);
});

Deno.test("fileStorage() says what is wrong with its file", async (t) => {
  await using place = await temporaryFolder();
  const { folder } = place;
  const fault = (path: string) => {
    const storage = open(path);
    return faultOf(() => storage.read([scope("a")])).finally(() => storage.close());
  };
  await t.step("a folder in its place", async () => {
    assertEquals(await fault(folder), {
      code: "storage_unavailable",
      reason: "damaged",
      message: `Cannot use "${folder}": it is a folder`,
      next: "Name a file in it: --storage file:PATH/data.db",
    });
  });
  await t.step("a file in place of its folder", async () => {
    await Deno.writeTextFile(join(folder, "file"), "");
    const { reason, message } = await fault(join(folder, "file", "data.db"));
    assertEquals(reason, "refused");
    assert(message.startsWith(`Cannot make the folder "${join(folder, "file")}": `), message);
  });
  await t.step("a file that is no database", async () => {
    const path = join(folder, "text.db");
    await Deno.writeTextFile(path, "This is not a database. ".repeat(1000));
    const { reason, message } = await fault(path);
    assertEquals(reason, "damaged");
    assertEquals(message, `Cannot use "${path}": it is not a database, or is damaged`);
  });
  await t.step("the database of another program", async () => {
    const path = join(folder, "other.db");
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('ann')");
    other.close();
    const { reason, message } = await fault(path);
    assertEquals(reason, "damaged");
    assertEquals(message, `Cannot use "${path}": it is the database of another program`);
  });
  await t.step("a database of a newer version", async () => {
    const path = join(folder, "newer.db");
    const storage = open(path);
    await storage.read([]);
    await storage.close();
    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    assertEquals(
      (await fault(path)).message,
      `Cannot use "${path}": a newer version of mp made it`,
    );
  });
  await t.step("a database that is damaged", async () => {
    const path = join(folder, "damaged.db");
    const storage = open(path);
    const session = new Session(storage);
    await storage.commit(range(200).map((i) => session.next([], [put(scope(`a${i}`), i)])));
    await storage.close();
    const file = await Deno.open(path, { write: true });
    const { size } = await file.stat();
    for (let at = 4096; at < size; at += 4096) {
      await file.seek(at, Deno.SeekMode.Start);
      await file.write(new Uint8Array(4096).fill(0xa5));
    }
    file.close();
    assertEquals((await fault(path)).reason, "damaged");
  });
  await t.step("a network file system", async () => {
    const storage = fileStorage({
      path: join(folder, "network.db"),
      namespace: "shop",
      mounts: () => `/dev/sda / ext4 rw 0 0\nserver:/export ${folder} nfs4 rw 0 0\n`,
    });
    const { code, message } = await faultOf(() => storage.read([]));
    assertEquals(code, "unsupported");
    assert(message.includes("network file system (nfs4)"), message);
    await storage.close();
  });
});

Deno.test("fileStorage() recovers when what was wrong with its file is put right", async () => {
  await using place = await temporaryFolder();
  await Deno.mkdir(place.path);
  await using storage = open(place.path);
  assertEquals((await faultOf(() => storage.read([]))).reason, "damaged");
  await Deno.remove(place.path);
  assertEquals((await read(storage, scope("a"))).version, null);
});

Deno.test("fileStorage() goes on with a new file when its own is removed, and says so", async () => {
  await using place = await temporaryFolder();
  const warnings: string[] = [];
  const onWarning = (warning: string) => void warnings.push(warning);
  await using one = fileStorage({ path: place.path, namespace: "shop", onWarning });
  await new Session(one).put(scope("a"), "old");
  for (const name of ["data.db", "data.db-wal", "data.db-shm"]) {
    await Deno.remove(join(place.folder, name));
  }
  await using two = open(place.path);
  await new Session(two).put(scope("b"), "new");
  assertEquals(await values(one, [scope("a"), scope("b")]), [undefined, "new"]);
  await new Session(one).put(scope("a"), "newer");
  assertEquals(await values(two, [scope("a")]), ["newer"]);
  assertEquals(warnings, [`"${place.path}" was removed or replaced while it was in use`]);
});

Deno.test("fileStorage() removes what is over", async () => {
  await using place = await temporaryFolder();
  let time = 1_000_000;
  const storage = fileStorage({
    path: place.path,
    namespace: "shop",
    retention: 1000,
    now: () => time,
  });
  const session = new Session(storage);
  for (const i of range(20)) {
    await session.put(scope(`a${i}`), i);
    await session.delete(scope(`a${i}`));
    await new Session(storage).put(scope("kept"), i);
  }
  time += 1001;
  await session.put(scope("kept"), "kept");
  await storage.close();
  const database = new DatabaseSync(place.path);
  const rows = database.prepare("SELECT key, writers FROM records").all();
  database.close();
  assertEquals(rows.map(({ key }) => key), ["shop:scope:kept"]);
  assertEquals(JSON.parse(rows[0]!.writers as string).length, 1);
});

Deno.test("fileStorage() removes all that is over, bit by bit", async () => {
  await using place = await temporaryFolder();
  let time = 1_000_000;
  const now = () => time;
  const storage = fileStorage({ path: place.path, namespace: "shop", retention: 1000, now });
  const session = new Session(storage);
  const replies = range(1200).map((i) => put(["reply", "svc.0", "", `key ${i}`], i, time + 10));
  await session.commit([], replies);
  time += 1001;
  for (const i of range(3)) await session.put(scope("kept"), i);
  await storage.close();
  const database = new DatabaseSync(place.path);
  assertEquals(database.prepare("SELECT key FROM records").all().length, 1);
  database.close();
});

Deno.test("scan() of large values keeps few of them in memory", async () => {
  await using place = await temporaryFolder();
  await using storage = open(place.path);
  const session = new Session(storage);
  const text = "x".repeat(3 * 1024 * 1024);
  await storage.commit(range(5).map((i) => session.next([], [put(scope(`a${i}`), i + text)])));
  const seen: string[] = [];
  for await (const { key, value } of storage.scan({ prefix: ["scope"] })) {
    seen.push(key[1]!);
    assertEquals(value.length, text.length + 3);
    // a page that was read does not keep the database from being written
    if (seen.length === 1) assertEquals(await session.commit([], [put(scope("a9"), 1)]), DONE);
    if (seen.length === 5) break;
  }
  assertEquals(seen, ["a0", "a1", "a2", "a3", "a4"]);
});

const run = (command: string, ...args: string[]): Promise<boolean> =>
  new Deno.Command(command, { args, stderr: "null" }).output().then(
    ({ success }) => success,
    () => false,
  );

/** Makes a folder a disk of 256 KiB. */
const mountSmallDisk = (folder: string) =>
  run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder);

/** Root may mount disks, but for root of many a sandbox. */
async function needsSmallDisk(): Promise<Need> {
  const system = needsSystem("linux");
  if (system.absent !== undefined) return system;
  await using place = await temporaryFolder();
  if (await mountSmallDisk(place.folder) && await run("umount", place.folder)) return {};
  return { absent: "this user cannot mount a small disk", elsewhere: true };
}

testWith(
  await needsSmallDisk(),
  "fileStorage() loses nothing when its disk is full, and goes on when it is not",
  async () => {
    await using place = await temporaryFolder();
    assert(await mountSmallDisk(place.folder));
    const session = new Session(open(place.path));
    const storage: Storage = session.storage;
    try {
      await session.put(scope("kept"), 1);
      const large = session.next([], [put(scope("large"), "x".repeat(1024 * 1024))]);
      const fault = await faultOf(() => session.send(large));
      assertEquals([fault.code, fault.reason], ["storage_unavailable", "full"]);
      assertEquals(fault.message, `Cannot use "${place.path}": the disk is full`);
      assertEquals(await values(storage, [scope("kept"), scope("large")]), [1, undefined]);
      await session.put(scope("kept"), 2);
      assertEquals(await values(storage, [scope("kept")]), [2]);
    } finally {
      await storage.close();
      await run("umount", place.folder);
    }
  },
);
