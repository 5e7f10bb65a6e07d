// State that cannot be written, and files that vanish while they are used.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { needsMounts, needsSystem, testWith } from "../support/needs.ts";
import { mpProgram, mpSandbox, type Sandbox } from "../support/mp.ts";
import { ask } from "./callers.ts";
import { APP, launch, script, told, urlOf } from "./launched.ts";

const hello = `
mp.service("hello", (name: string) => "hello, " + name, { expose: true });
`;

/**
 * A sandbox whose program sees a disk of its own where its state is kept. Nobody else sees it, and it
 * goes with the last process that does.
 */
function sandboxWithDisk(options: string): Promise<Sandbox> {
  const mount = `mount -t tmpfs -o ${options} tmpfs "$XDG_STATE_HOME" && exec "$@"`;
  return mpSandbox(["unshare", "-rm", "sh", "-c", mount, "sh", ...mpProgram()]);
}

const disks = { "read-only": "ro", full: "size=4k,nr_inodes=2" };
const reasons = { "read-only": "read-only file system", full: "no space left on device" };

for (const kind of ["read-only", "full"] as const) {
  testWith(
    needsMounts(),
    `a run with a state folder that is ${kind} says so and leaves nothing`,
    async () => {
      await using sandbox = await sandboxWithDisk(disks[kind]);
      const file = await sandbox.write(`${APP}.ts`, script(hello));
      for (const more of [[], ["-d"], ["-d", "--wait"]]) {
        const { code, stdout, stderr } = await sandbox.run(["run", file, "--port", "0", ...more]);
        assertEquals([code, stdout], [1, ""]);
        assertMatch(
          stderr,
          new RegExp(`^error: Cannot write state in "[^"]+": ${reasons[kind]}\n`),
        );
        assertStringIncludes(stderr, "XDG_STATE_HOME");
        assertEquals(await sandbox.processes(), []);
      }
    },
  );
}

const filling = `
const fill = () => {
  const file = Deno.openSync(Deno.env.get("XDG_STATE_HOME") + "/filler", { create: true, write: true });
  try {
    for (;;) file.writeSync(new Uint8Array(4096));
  } catch (error) {
    return String(error);
  } finally {
    file.close();
  }
};
const write = (text: string) => {
  console.log(text);
  return text;
};
mp.service("fills", fill, { expose: true });
mp.service("writes", write, { expose: true });
`;

testWith(needsMounts(), "a deployment goes on when its state folder becomes full", async () => {
  await using sandbox = await sandboxWithDisk("size=256k");
  const file = await sandbox.write(`${APP}.ts`, script(filling));
  const program = sandbox.start(["run", file, "--json", "--watch", "--port", "0"]);
  const url = urlOf(JSON.parse(await program.line(/"event":"ready"/)));
  assertMatch((await ask(url, "fills")).result, /No space left/i);
  for (let i = 0; i < 3; i++) assertEquals((await ask(url, "writes", "x")).result, "x");
  const warning = await told(program, ({ event }) => event === "warning");
  assertStringIncludes(warning.error!.message, "Cannot keep logs in ");
  // an update needs room for its bundle
  await sandbox.write(`${APP}.ts`, script(filling.replace("return text;", 'return text + "!";')));
  const failed = await told(
    program,
    ({ event, error }) => event !== "warning" && error?.code === "state_unwritable",
  );
  assertStringIncludes(failed.error!.message, "no space left");
  assertEquals((await ask(url, "writes", "y")).result, "y");
  program.kill("SIGINT");
  assertEquals((await program.ended).code, 0);
  // one warning is enough
  assertEquals(program.lines.filter((line) => line.includes("Cannot keep logs")).length, 1);
});

testWith(
  needsSystem("linux", "darwin"),
  "a deployment goes on, and its replicas come back, when the folder of its script is gone",
  async () => {
    await using launched = await launch(hello);
    const { sandbox, program } = launched;
    await Deno.remove(launched.script);
    const from = program.lines.length;
    const pid = await launched.pidOf("hello.0");
    Deno.kill(pid, "SIGKILL");
    await launched.told((one) => one.state === "ready" && one.pid !== pid, from);
    assertEquals((await launched.reply("hello", "Ada")).result, "hello, Ada");
    const { code, stderr } = await sandbox.run(["run", launched.script]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "there is no such file");
    assertEquals((await launched.reply("hello", "Bob")).result, "hello, Bob");
    // by its path it is found, too
    assertEquals((await sandbox.run(["delete", launched.script])).code, 0);
    await program.ended;
  },
);

testWith(
  needsSystem("linux", "darwin"),
  "replicas come back when the private folder of their sockets was cleaned away",
  async () => {
    await using launched = await launch(`
      mp.service("all", mp.scatter(2, (_: unknown, { replica }: mp.Context) => replica.index, (parts) => parts),
        { expose: true });
    `);
    const temporary = join(launched.sandbox.folder, "tmp");
    for await (const { name } of Deno.readDir(temporary)) {
      if (name.startsWith("mp-tree-")) {
        await Deno.remove(join(temporary, name), { recursive: true });
      }
    }
    assertEquals((await launched.reply("all")).result, [0, 1]);
  },
);
