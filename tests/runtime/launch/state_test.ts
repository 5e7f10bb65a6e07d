import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { dirname, join } from "@std/path";
import { MpError } from "../../../runtime/errors.ts";
import { stateFolder, stateRoot } from "../../../runtime/launch/state.ts";
import { needsSystem, testWith } from "../../support/needs.ts";
import { sampleRecord } from "./deployment_record.ts";

const env = (variables: Record<string, string>) => (name: string) => variables[name];

async function temporaryState() {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  const sockets = join(folder, "sockets");
  await Deno.mkdir(sockets);
  return {
    folder,
    sockets,
    state: stateFolder(join(folder, "mp")),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

testWith(
  needsSystem("linux", "darwin"),
  "stateRoot() is under XDG_STATE_HOME, else under HOME",
  () => {
    assertEquals(stateRoot(env({ XDG_STATE_HOME: "/x", HOME: "/h" })), "/x/mp");
    assertEquals(stateRoot(env({ HOME: "/h" })), "/h/.local/state/mp");
    assertEquals(stateRoot(env({ XDG_STATE_HOME: "relative", HOME: "/h" })), "/h/.local/state/mp");
  },
);

testWith(
  needsSystem("linux", "darwin"),
  "stateRoot() is a private temporary folder when nothing is set",
  async () => {
    const temporary = await Deno.makeTempDir({ prefix: "mp-test-" });
    try {
      const root = () => stateRoot(env({ TMPDIR: temporary }));
      const folder = dirname(root());
      assertEquals(folder, join(temporary, `mp-${Deno.uid()}`));
      assertEquals((await Deno.stat(folder)).mode! & 0o777, 0o700);
      assertEquals(dirname(root()), folder);
      // somebody else could put anything in
      await Deno.chmod(folder, 0o777);
      const error = assertThrows(root, MpError);
      assertEquals(error.code, "state_unwritable");
      assertEquals(error.next, "Set HOME or TMPDIR to a folder of your own");
    } finally {
      await Deno.remove(temporary, { recursive: true });
    }
  },
);

Deno.test("read() and list() give what was written, while its launcher lives", async () => {
  await using at = await temporaryState();
  assertEquals(await at.state.list(), []);
  const lock = await at.state.lock("histogram");
  const record = await sampleRecord(at.sockets);
  await at.state.write(record);
  assertEquals(await at.state.read("histogram"), record);
  assertEquals(await at.state.list(), [record]);
  assertEquals(await at.state.read("other"), undefined);
  lock?.release();
});

Deno.test("write() keeps others from reading the secret", async () => {
  if (Deno.build.os === "windows") return;
  await using at = await temporaryState();
  (await at.state.lock("histogram"))?.release();
  await at.state.write(await sampleRecord(at.sockets));
  const folder = await Deno.stat(at.state.folder("histogram"));
  const file = await Deno.stat(join(at.state.folder("histogram"), "deployment.json"));
  assertEquals([(folder.mode ?? 0) & 0o077, (file.mode ?? 0) & 0o077], [0, 0]);
});

Deno.test("read() clears what a dead launcher left, and keeps its logs", async () => {
  await using at = await temporaryState();
  (await at.state.lock("histogram"))?.release();
  const record = await sampleRecord(at.sockets);
  if (record.launcher.started === "") return;
  const dead = { ...record, launcher: { ...record.launcher, started: "long ago" } };
  await at.state.write(dead);
  const logs = join(at.state.folder("histogram"), "logs");
  const tree = join(at.state.folder("histogram"), "trees", "1");
  await at.state.writeFiles(logs, { [join(logs, "a.0.log")]: "line\n" });
  await at.state.writeFiles(tree, { [join(tree, "bundle.mjs")]: "code" });
  assertEquals(await at.state.list(), []);
  assertEquals(await exists(at.sockets), false);
  assertEquals(await exists(tree), false);
  assertEquals(await exists(join(logs, "a.0.log")), true);
  assertEquals(await at.state.listEnded(), [dead]);
});

Deno.test("read() leaves a dead launcher's files to the one that has the lock now", async () => {
  await using at = await temporaryState();
  const record = await sampleRecord(at.sockets);
  if (record.launcher.started === "") return;
  const lock = await at.state.lock("histogram");
  await at.state.write({ ...record, launcher: { pid: 1, started: "long ago" } });
  assertEquals(await at.state.read("histogram"), undefined);
  assertEquals(await exists(at.sockets), true);
  lock?.release();
});

Deno.test("read() takes half a record for none", async () => {
  await using at = await temporaryState();
  const folder = at.state.folder("histogram");
  for (const text of ["", "{", "null", "{}"]) {
    await at.state.writeFiles(folder, { [join(folder, "deployment.json")]: text });
    assertEquals(await at.state.read("histogram"), undefined, text);
  }
});

Deno.test("clear() makes a deployment an ended one, and remove() leaves nothing", async () => {
  await using at = await temporaryState();
  (await at.state.lock("histogram"))?.release();
  const record = await sampleRecord(at.sockets);
  await at.state.write(record);
  assertEquals(await at.state.listEnded(), []);
  await at.state.clear("histogram");
  await at.state.clear("histogram");
  assertEquals(await at.state.read("histogram"), undefined);
  assertEquals(await at.state.listEnded(), [record]);
  assertEquals(await at.state.apps(), ["histogram"]);
  await at.state.remove("histogram");
  assertEquals(await at.state.apps(), []);
});

Deno.test("lock() says what to do when the folder cannot be made", async () => {
  await using at = await temporaryState();
  const file = join(at.folder, "file");
  await Deno.writeTextFile(file, "");
  const error = await assertRejects(() => stateFolder(join(file, "mp")).lock("histogram"));
  assertInstanceOf(error, MpError);
  assertEquals(error.code, "state_unwritable");
  assertEquals(
    error.message,
    `Cannot write state in "${join(file, "mp", "histogram")}": not a directory`,
  );
  assert(error.next?.includes("XDG_STATE_HOME"));
});

testWith(
  await fullDevice(),
  "write() says that the disk is full",
  async () => {
    await using at = await temporaryState();
    (await at.state.lock("histogram"))?.release();
    // what is written to this path goes to a device that is always full
    await Deno.symlink("/dev/full", join(at.state.folder("histogram"), "deployment.json.new"));
    const error = await assertRejects(async () => at.state.write(await sampleRecord(at.sockets)));
    assertInstanceOf(error, MpError);
    assertEquals(
      error.message,
      `Cannot write state in "${at.state.folder("histogram")}": no space left on device`,
    );
  },
);

async function fullDevice() {
  return await exists("/dev/full") ? {} : { absent: "no /dev/full", elsewhere: true };
}
